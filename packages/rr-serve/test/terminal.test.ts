import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { until } from '../../listener/test/support/until.ts'
import { BIN, cleanEnv } from './support/serve-process.ts'

const skip =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true
    ? false
    : 'no script(1) of util-linux, which makes a terminal'

/** Starts the command on a terminal of its own; what it prints there comes to the child's stdout. */
function spawnOnTerminal(
  t: Test,
  cwd: string,
  command: string,
  env: Readonly<Record<string, string>> = {},
): ChildProcessByStdio<Writable, Readable, Readable> {
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd,
    env: cleanEnv({ TERM: 'xterm', SHELL: '/bin/sh', ...env }),
  })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

interface TerminalRun {
  readonly output: string
  readonly code: number | null
}

/** Runs the command on a terminal until it listens, asks it once, and stops it. */
async function runOnTerminal(t: Test, env: Record<string, string>): Promise<TerminalRun> {
  const dir = t.testdir({
    'app.js': `
      import { text } from '@rr/core'
      export default (request) => {
        if (request.path === '/fail') throw new Error('broken')
        return text('ok')
      }`,
  })
  const command = `exec '${process.execPath}' '${BIN}' -p 0 -w 1 --access-log app.js`
  const child = spawnOnTerminal(t, dir, command, env)
  let output = ''
  const listening = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const match = /listening on http:\/\/0\.0\.0\.0:(\d+)/.exec(output)
      if (match !== null) resolve(`http://127.0.0.1:${match[1]}`)
    })
  })
  const ended = once(child, 'close')
  const url = await listening
  await (await fetch(`${url}/a?b`)).text()
  await (await fetch(`${url}/fail`)).text()
  const client = createConnection(Number(new URL(url).port), '127.0.0.1')
  client.end('GET /\r\n\r\n').resume()
  await once(client, 'end')
  process.kill(Number(/process (\d+)/.exec(output)?.[1]), 'SIGTERM')
  const [code] = (await ended) as [number | null]
  return { output: output.replaceAll('\r\n', '\n'), code }
}

t.test('on a terminal lines are short', { skip }, async (t) => {
  const { output, code } = await runOnTerminal(t, { NO_COLOR: '1' })
  t.equal(code, 0)
  const time = '\\[\\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\]'
  const lines = [
    'INFO: main {6}rr-serve \\S+, Node\\.js \\S+, process \\d+',
    'INFO: main {6}1 worker: as configured',
    'INFO: main {6}listening on http://0\\.0\\.0\\.0:\\d+ \\(on this machine: http://localhost:\\d+\\)',
    'INFO: worker 1 {2}GET /a\\?b 200 2 B [\\d.]+ ms 127\\.0\\.0\\.1 \\S+',
    'ERROR: worker 1 {2}GET /fail failed \\(\\S+\\)\n {4}err: \\{\n[\\s\\S]*Error: broken\n +at [\\s\\S]*\n',
    'INFO: worker 1 {2}GET /fail 500 46 B [\\d.]+ ms 127\\.0\\.0\\.1 \\S+',
    'INFO: worker 1 {2}refused 400 127\\.0\\.0\\.1 protocol: malformed request line .*',
    'INFO: main {6}SIGTERM: stopping',
    'INFO: main {6}drained: every request was answered',
  ]
  for (const line of lines) t.match(output, new RegExp(`^${time} ${line}`, 'm'))
  t.notMatch(output, '\x1b[')
  t.notMatch(output, '"level"')
})

t.test('with colours, unless NO_COLOR or TERM says no', { skip }, async (t) => {
  t.match((await runOnTerminal(t, {})).output, '\x1b[32mINFO\x1b[39m')
  t.notMatch((await runOnTerminal(t, { TERM: 'dumb' })).output, '\x1b[')
})

const PRINTS = {
  'its access log': '',
  'what the application prints': "console.log('x'.repeat(7000))",
}

for (const [what, statement] of Object.entries(PRINTS)) {
  t.test(`a terminal that nobody reads, full of ${what}, keeps no signal`, { skip }, async (t) => {
    const dir = t.testdir({
      'app.js': `
        import { text } from '@rr/core'
        export default () => { ${statement}; return text('ok') }`,
    })
    execFileSync('mkfifo', [`${dir}/ended`])
    // The end of the pipe tells that the process has ended, whatever its terminal does.
    const command = `'${process.execPath}' '${BIN}' -p 0 -w 1 --access-log --drain-timeout 100ms app.js 3>ended; echo $? >code`
    const child = spawnOnTerminal(t, dir, command)
    const ended = once(createReadStream(`${dir}/ended`).resume(), 'end')
    let output = ''
    for await (const piece of child.stdout
      .setEncoding('utf8')
      .iterator({ destroyOnReturn: false })) {
      output += piece
      if (output.includes('listening on')) break
    }
    child.stdout.pause()
    const pid = Number(/process (\d+)/.exec(output)?.[1])
    t.teardown(() => killIfThere(pid))
    const port = Number(/listening on http:\/\/0\.0\.0\.0:(\d+)/.exec(output)?.[1])
    const client = createConnection(port, '127.0.0.1').on('error', () => {})
    // More than the terminal and the pipes behind it hold; the first answer shows that it has begun.
    const request = `GET /${'x'.repeat(7000)} HTTP/1.1\r\nHost: test\r\n\r\n`
    client.write(request.repeat(100))
    await once(client, 'data')
    const start = performance.now()
    process.kill(pid, 'SIGTERM')
    await ended
    t.ok(performance.now() - start < 10_000, 'within its bounds')
    client.destroy()
    child.stdout.resume()
    await once(child, 'close')
    t.match(readFileSync(`${dir}/code`, 'utf8'), /^[04]\n$/)
  })
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}

t.test('the SIGHUP of a terminal that has gone stops the server', { skip }, async (t) => {
  const cwd = t.testdir({})
  const mark = join(cwd, 'torn-down')
  writeFileSync(
    join(cwd, 'app.js'),
    `import { writeFileSync } from 'node:fs'
     import { defineApp, text } from '@rr/core'
     export default defineApp({
       handler: () => text('ok'),
       teardown: () => writeFileSync('torn-down', ''),
     })`,
  )
  const command = `exec '${process.execPath}' '${BIN}' -p 0 -w 1 app.js`
  const child = spawnOnTerminal(t, cwd, command)
  let output = ''
  const listening = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (/listening on/.test(output)) resolve()
    })
  })
  await listening
  const pid = Number(/process (\d+)/.exec(output)?.[1])
  t.teardown(() => isRunning(pid) && process.kill(pid, 'SIGKILL'))
  // With script(1) the other end of the terminal goes, as with the window of one.
  child.kill('SIGKILL')
  await until(() => !isRunning(pid), 'the server has ended')
  t.ok(existsSync(mark), 'by a drain, with its teardown')
})

/** False for a zombie, too: whoever is to wait for it is not ours. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
