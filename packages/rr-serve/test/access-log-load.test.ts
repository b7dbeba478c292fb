import { execFileSync } from 'node:child_process'
import { closeSync, createReadStream, openSync } from 'node:fs'
import t, { type Test } from 'tap'
import { AnswerCounter } from './support/answer-counter.ts'
import { type LogRecord, parseLog, ServeProcess } from './support/serve-process.ts'

const APP = { 'app.js': "export default { fetch: () => new Response('ok') }" }
const CLIENTS = 20

/** The access lines of a log, each checked to be whole and to be there once. */
function accessLines(t: Test, text: string): LogRecord[] {
  t.ok(text.endsWith('\n'), 'the last line is whole')
  const lines = parseLog(text).filter(({ msg }) => msg === 'request')
  t.equal(new Set(lines.map(({ requestId }) => requestId)).size, lines.length, 'no line twice')
  t.strictSame([...new Set(lines.map(({ worker }) => worker))].sort(), [1, 2], 'of both workers')
  return lines
}

function serveLogged(t: Test, cwd: string, stdout: 'pipe' | number): ServeProcess {
  const args = ['--host', '127.0.0.1', '-p', '0', '-w', '2', '--access-log', 'app.js']
  return new ServeProcess(t, args, { cwd, stdio: ['ignore', stdout, 'pipe'] })
}

t.test('a drain under load leaves a line for each request that was answered', async (t) => {
  const server = serveLogged(t, t.testdir(APP), 'pipe')
  const clients = new AnswerCounter(await server.port(), CLIENTS)
  await clients.reached(2000)
  server.child.kill('SIGTERM')
  await clients.ended
  t.equal(await server.exit, 0)
  const answered = accessLines(t, server.stdout).filter(({ status }) => status === 200)
  t.equal(answered.length, clients.answered)
})

t.test('so does a stop that a second signal cuts short', async (t) => {
  const server = serveLogged(t, t.testdir(APP), 'pipe')
  const clients = new AnswerCounter(await server.port(), CLIENTS)
  await clients.reached(2000)
  server.child.kill('SIGTERM')
  server.child.kill('SIGINT')
  await clients.ended
  t.equal(await server.exit, 4)
  // An answer that was cut on its way has a line, and a client that did not get it.
  t.ok(accessLines(t, server.stdout).length >= clients.answered)
})

/** The log through a real pipe, of which a reader takes a little at a time. */
async function serveIntoSlowPipe(
  t: Test,
  stop: (server: ServeProcess) => void,
): Promise<{ code: number | null; text: string; answered: number }> {
  const dir = t.testdir(APP)
  const path = `${dir}/log`
  execFileSync('mkfifo', [path])
  // Read and write, so that opening does not wait for the other end.
  const fd = openSync(path, 'r+')
  const server = serveLogged(t, dir, fd)
  const pieces: string[] = []
  let onText = (): void => {}
  const reader = createReadStream(path, { encoding: 'latin1', highWaterMark: 512 })
  reader.once('open', () => closeSync(fd))
  const isRead = new Promise<void>((resolve) => reader.once('end', () => resolve()))
  reader.on('data', (piece) => {
    pieces.push(String(piece))
    onText()
    // About 250 kB/s at most, a fraction of what the load makes.
    reader.pause()
    setTimeout(() => reader.resume(), 2)
  })
  const port = await new Promise<number>((resolve) => {
    onText = () => {
      const match = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(pieces.join(''))
      if (match !== null) resolve(Number(match[1]))
    }
  })
  onText = () => {}
  const clients = new AnswerCounter(port, CLIENTS)
  await clients.reached(2000)
  stop(server)
  await clients.ended
  const code = await server.exit
  await isRead
  return { code, text: pieces.join(''), answered: clients.answered }
}

t.test('a pipe that is read slowly slows the server and loses nothing', async (t) => {
  const { code, text, answered } = await serveIntoSlowPipe(t, (server) => {
    server.child.kill('SIGTERM')
  })
  t.equal(code, 0)
  t.equal(accessLines(t, text).filter(({ status }) => status === 200).length, answered)
  t.match(text, '"msg":"drained: every request was answered"')
})

t.test('nor when a second signal cuts the stop short', async (t) => {
  const { code, text, answered } = await serveIntoSlowPipe(t, (server) => {
    server.child.kill('SIGINT')
    server.child.kill('SIGTERM')
  })
  t.equal(code, 4)
  t.ok(accessLines(t, text).length >= answered)
})
