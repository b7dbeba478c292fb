import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sampleProcessTree } from '../../src/grid/process-tree.ts'
import { startServerRun } from '../../src/grid/server-run.ts'
import { LISTENING_SCRIPT, scriptServer } from './fake-parts.ts'

const OPTIONS = { workers: 1, cpus: [], signal: new AbortController().signal }

/** Listens, and has a child that ignores every polite signal. */
const STUBBORN_CHILD_SCRIPT = `
  const child = require('node:child_process').spawn(process.execPath, ['-e',
    'process.on("SIGTERM", () => {}); process.send("up"); setInterval(() => {}, 1000)'],
    { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  child.once('message', () => { ${LISTENING_SCRIPT} })
`

/** A zombie has ended, whether or not the init of a container takes note of it. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

t.test('a server listens where it says, and its whole tree ends', async (t) => {
  const run = await startServerRun(scriptServer('a', STUBBORN_CHILD_SCRIPT), OPTIONS)
  const answer = await fetch(run.url)
  t.equal(await answer.text(), 'hi')
  const { members } = sampleProcessTree(run.pid)
  t.equal(members.length, 2)
  t.equal(run.isRunning(), true)
  await run.end()
  t.equal(run.isRunning(), false)
  // The kernel takes a moment to end what was killed.
  const child = members.find(({ pid }) => pid !== run.pid)?.pid ?? 0
  while (isAlive(child)) await new Promise(setImmediate)
  t.pass('the child ended too')
})

t.test('files made for the run are removed', async (t) => {
  const file = join(t.testdir({}), 'made-for-the-run.conf')
  writeFileSync(file, '')
  const server = scriptServer('a', LISTENING_SCRIPT)
  const run = await startServerRun(
    {
      ...server,
      command: async (options) => ({ ...(await server.command(options)), temporary: [file] }),
    },
    OPTIONS,
  )
  await run.end()
  t.equal(existsSync(file), false)
})

t.test('a server that ends says why', async (t) => {
  const server = scriptServer('a', 'console.error("no such module"); process.exit(3)')
  await t.rejects(startServerRun(server, OPTIONS), {
    message: /a did not start: ended with code 3 \(no such module\)/,
  })
  const absent = {
    ...server,
    command: async () => ({ program: '/nowhere', parameters: [], env: {}, temporary: [] }),
  }
  await t.rejects(startServerRun(absent, OPTIONS), { message: /a did not start: .*ENOENT/ })
})

t.test('an interruption ends a server that is still starting', async (t) => {
  const controller = new AbortController()
  const starting = startServerRun(scriptServer('a', 'setInterval(() => {}, 1000)'), {
    ...OPTIONS,
    signal: controller.signal,
  })
  setImmediate(() => controller.abort(new Error('interrupted')))
  await t.rejects(starting, { message: 'interrupted' })
  await t.rejects(
    startServerRun(scriptServer('a', ''), { ...OPTIONS, signal: controller.signal }),
    {
      message: 'interrupted',
    },
  )
})
