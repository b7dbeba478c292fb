import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ServeProcess } from './support/serve-process.ts'

const APP = `import { text } from '@rr/core'
import { answer } from './lib/answer.ts'
export default () => text(answer)
`
const answer = (value: string): string => `export const answer = '${value}'\n`

interface Watched {
  readonly cwd: string
  readonly server: ServeProcess
  readonly get: () => Promise<string>
  readonly write: (name: string, text: string) => void
  /** Resolves once as many reloads have ended well. */
  readonly reloaded: (times: number) => Promise<unknown>
}

async function watched(t: Test, ...args: string[]): Promise<Watched> {
  const cwd = t.testdir({
    'app.ts': APP,
    lib: { 'answer.ts': answer('one') },
    views: { 'page.html': 'one' },
  })
  const server = new ServeProcess(t, ['--watch', '-p', '0', '-w', '2', ...args, 'app.ts'], { cwd })
  const url = await server.url()
  const get = async (): Promise<string> => (await fetch(url)).text()
  t.equal(await get(), 'one')
  return {
    cwd,
    server,
    get,
    write: (name, text) => writeFileSync(join(cwd, name), text),
    reloaded: (times) => server.printed(new RegExp(`(?:"msg":"reloaded in[\\s\\S]*?){${times}}`)),
  }
}

t.test('a change to an imported file reloads, and one line says so', async (t) => {
  const { server, get, write, reloaded } = await watched(t)
  write('lib/answer.ts', answer('two'))
  await reloaded(1)
  t.equal(await get(), 'two')
  t.equal(await server.stop(), 0)
  const lines = server.records().filter(({ level, time }) => level >= 30 && time > 0)
  const told = lines.filter(({ msg }) => /reload|listens|answer\.ts/.test(msg))
  t.equal(told.length, 1, told.map(({ msg }) => msg).join('\n'))
  t.match(told[0]?.msg, /^reloaded in \d+ ms: lib\/answer\.ts has changed$/)
})

t.test('a save by rename reloads, the second as well', async (t) => {
  const { cwd, server, get, write, reloaded } = await watched(t)
  for (const [times, value] of [
    [1, 'two'],
    [2, 'three'],
  ] as const) {
    write('lib/new', answer(value))
    renameSync(join(cwd, 'lib/new'), join(cwd, 'lib/answer.ts'))
    await reloaded(times)
    t.equal(await get(), value)
  }
  t.equal(await server.stop(), 0)
})

t.test('code that is broken is shown, the old serves on, and what mends it reloads', async (t) => {
  const { server, get, write, reloaded } = await watched(t)
  write('lib/answer.ts', 'export const answer = \n')
  await server.printed(/not reloaded, the code before serves on: lib\/answer\.ts has changed/)
  await server.printed(/at lib\/answer\.ts:\d+:\d+/)
  t.equal(await get(), 'one')
  write('lib/answer.ts', answer('two'))
  await reloaded(1)
  t.equal(await get(), 'two')
  t.equal(await server.stop(), 0)
})

t.test('new imports are watched, also after they were missing', async (t) => {
  const { server, get, write, reloaded } = await watched(t)
  write('app.ts', APP.replace('./lib/answer.ts', './later.ts'))
  await server.printed(/Cannot find later\.ts, imported from app\.ts/)
  t.equal(await get(), 'one')
  write('later.ts', answer('later'))
  await reloaded(1)
  t.equal(await get(), 'later')
  write('later.ts', answer('later still'))
  await reloaded(2)
  t.equal(await get(), 'later still')
  t.equal(await server.stop(), 0)
})

t.test('files and folders that go end nothing, and reload when they are back', async (t) => {
  const { cwd, server, get, write, reloaded } = await watched(t)
  rmSync(join(cwd, 'lib'), { recursive: true })
  await server.printed(/not reloaded, the code before serves on/)
  t.equal(await get(), 'one')
  mkdirSync(join(cwd, 'lib'))
  write('lib/answer.ts', answer('back'))
  await reloaded(1)
  t.equal(await get(), 'back')
  t.equal(await server.stop(), 0)
})

t.test('paths that were named reload, with what is below them', async (t) => {
  const { server, write, reloaded } = await watched(t, '--watch-path', 'views,settings.json')
  write('views/page.html', 'two two')
  await reloaded(1)
  write('settings.json', '{}')
  await reloaded(2)
  t.match(server.stdout, 'views/page.html has changed')
  t.match(server.stdout, 'settings.json has changed')
  t.equal(await server.stop(), 0)
})

t.test('requests wait for a reload instead of failing', async (t) => {
  const { server, get, write, reloaded } = await watched(t)
  let isOver = false
  const failures: unknown[] = []
  const seen = new Set<string>()
  const clients = Array.from({ length: 4 }, async () => {
    while (!isOver)
      await get().then(
        (text) => seen.add(text),
        (error) => failures.push(error),
      )
  })
  for (let times = 1; times <= 3; times++) {
    write('lib/answer.ts', answer(`reload ${times}`))
    await reloaded(times)
  }
  isOver = true
  await Promise.all(clients)
  t.strictSame(failures, [])
  for (const text of seen) t.match(text, /^(?:one|reload [123])$/)
  t.equal(await get(), 'reload 3')
  t.equal(await server.stop(), 0)
})
