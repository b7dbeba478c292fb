import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { MAX_PROFILES, startCpuProfile } from '../src/cpu-profile.ts'
import { ServeProcess } from './support/serve-process.ts'

interface Profile {
  readonly nodes: readonly { readonly callFrame: { functionName: string; url: string } }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
  readonly startTime: number
  readonly endTime: number
}

const SILENT = pino({ level: 'silent' })

function profilesIn(dir: string): { name: string; profile: Profile }[] {
  return readdirSync(dir)
    .sort()
    .map((name) => ({
      name,
      profile: JSON.parse(readFileSync(join(dir, name), 'utf8')) as Profile,
    }))
}

function functionsOf({ nodes }: Profile): string[] {
  return nodes.map(({ callFrame }) => callFrame.functionName)
}

function burnInTest(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

t.test('each worker leaves a profile with the functions of the application', async (t) => {
  const cwd = t.testdir({
    'app.js': `
      import { text } from '@rr/core'
      function burnInHandler() {
        const until = performance.now() + 50
        while (performance.now() < until);
      }
      burnInHandler()
      export default () => { burnInHandler(); return text('ok') }`,
  })
  const args = ['-p', '0', '-w', '2', '--cpu-prof', '--cpu-prof-dir', 'new/profiles', 'app.js']
  const server = new ServeProcess(t, args, { cwd })
  t.equal(await (await fetch(await server.url())).text(), 'ok')
  t.equal(await server.stop(), 0)
  const profiles = profilesIn(join(cwd, 'new/profiles'))
  const { pid } = server.child
  t.equal(profiles.length, 2)
  for (const [index, { name, profile }] of profiles.entries()) {
    t.match(name, new RegExp(`^rr-${pid}-worker-${index + 1}-thread-\\d+\\.cpuprofile$`))
    t.equal(profile.samples.length, profile.timeDeltas.length)
    t.ok(profile.endTime > profile.startTime)
    t.ok(functionsOf(profile).includes('burnInHandler'), name)
  }
})

t.test('a profile ends after its time, and is written once', async (t) => {
  const dir = t.testdir({})
  let written = (): void => {}
  const done = new Promise<void>((resolve) => (written = resolve))
  const log = pino({ base: null }, { write: () => written() })
  const profile = startCpuProfile({ workerId: 7, folder: dir }, log, 50)
  burnInTest(30)
  // The timer of the profile keeps no thread alive.
  const alive = setInterval(() => {}, 1000)
  await done
  clearInterval(alive)
  profile.end()
  const [found, ...others] = profilesIn(dir)
  t.strictSame(others, [])
  t.ok(found !== undefined && functionsOf(found.profile).includes('burnInTest'))
})

const fillWith = (t: Test, count: number): string =>
  t.testdir(
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [
        `rr-${process.pid}-worker-1-thread-x${index}.cpuprofile`,
        '',
      ]),
    ),
  )

t.test(`a process leaves ${MAX_PROFILES} profiles at most`, async (t) => {
  for (const [count, added] of [
    [MAX_PROFILES - 1, 1],
    [MAX_PROFILES, 0],
    [MAX_PROFILES + 1, 0],
  ] as const) {
    const dir = fillWith(t, count)
    startCpuProfile({ workerId: 1, folder: dir }, SILENT).end()
    t.equal(readdirSync(dir).length, count + added)
  }
})

t.test('a profile is never written over what is there, and trouble ends no worker', async (t) => {
  const dir = t.testdir({ file: 'text' })
  startCpuProfile({ workerId: 1, folder: join(dir, 'file') }, SILENT).end()
  mkdirSync(join(dir, 'out'))
  startCpuProfile({ workerId: 2, folder: join(dir, 'out') }, SILENT).end()
  const [name = ''] = readdirSync(join(dir, 'out'))
  writeFileSync(join(dir, 'out', name), 'mine')
  startCpuProfile({ workerId: 2, folder: join(dir, 'out') }, SILENT).end()
  t.equal(readFileSync(join(dir, 'out', name), 'utf8'), 'mine')
})
