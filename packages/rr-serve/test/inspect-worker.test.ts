import { createServer } from 'node:net'
import t from 'tap'
import { ServeProcess } from './support/serve-process.ts'

const APP = "import { text } from '@rr/core'\nexport default () => text('ok')\n"

/** Asks a debugger for the value of an expression. */
async function evaluate(url: string, expression: string): Promise<unknown> {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const answer = new Promise<MessageEvent>((resolve) =>
    socket.addEventListener('message', resolve, { once: true }),
  )
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }))
  const { result } = JSON.parse(String((await answer).data)) as { result: { result: object } }
  socket.close()
  return (result.result as { value?: unknown }).value
}

t.test('a debugger is on the worker that was named, at an address of this machine', async (t) => {
  const cwd = t.testdir({ 'app.js': APP })
  const args = ['-p', '0', '-w', '2', '--inspect-worker', '2:0', 'app.js']
  const server = new ServeProcess(t, args, { cwd })
  await server.port()
  const [, url = ''] = await server.printed(/"worker":2,"url":"(ws:[^"]+)"/)
  t.match(url, /^ws:\/\/127\.0\.0\.1:\d+\//)
  t.equal(
    await evaluate(url, "process.getBuiltinModule('node:worker_threads').workerData.workerId"),
    2,
  )
  t.notMatch(server.stdout, /"worker":1,"url"/)
  t.equal(await server.stop(), 0)
})

t.test('another address is warned of', async (t) => {
  const cwd = t.testdir({ 'app.js': APP })
  const args = ['-p', '0', '-w', '1', '--inspect-worker', '1:0.0.0.0:0', 'app.js']
  const server = new ServeProcess(t, args, { cwd })
  await server.printed(/"level":40,.*lets whoever reaches it run any code/)
  await server.port()
  t.equal(await server.stop(), 0)
})

t.test('a port that is taken is waited for, and the server serves meanwhile', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const cwd = t.testdir({ 'app.js': APP })
  const args = ['-p', '0', '-w', '1', '--inspect-worker', `1:${port}`, 'app.js']
  const server = new ServeProcess(t, args, { cwd })
  await server.printed(/waits for port/)
  t.equal(await (await fetch(await server.url())).text(), 'ok')
  other.close()
  const [, url = ''] = await server.printed(/"worker":1,"url":"(ws:[^"]+)"/)
  t.equal(await evaluate(url, '1 + 1'), 2)
  t.equal(await server.stop(), 0)
})
