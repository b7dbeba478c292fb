import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { BIN, cleanEnv } from './support/serve-process.ts'

const skip =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true
    ? false
    : 'no script(1) of util-linux, which makes a terminal'

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
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: dir,
    env: cleanEnv({ TERM: 'xterm', SHELL: '/bin/sh', ...env }),
  })
  t.teardown(() => child.kill('SIGKILL'))
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
    'INFO: worker 1 {2}GET /fail 500 3 B [\\d.]+ ms 127\\.0\\.0\\.1 \\S+',
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
