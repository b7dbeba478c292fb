import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { MISSING, stampOf } from '../src/file-stamp.ts'
import { FileWatch } from '../src/file-watch.ts'

function watchFile(t: Test, files: Record<string, string>): { dir: string; watch: FileWatch } {
  const dir = t.testdir(files)
  const watch = new FileWatch()
  for (const name of Object.keys(files)) watch.add(join(dir, name), stampOf(join(dir, name)))
  return { dir, watch }
}

/** Aborted at the end of the test, so that a change which is not seen fails it by its time limit. */
function signalOf(t: Test): AbortSignal {
  const controller = new AbortController()
  t.teardown(() => controller.abort())
  return controller.signal
}

t.test('a file that is written to has changed, once', async (t) => {
  const { dir, watch } = watchFile(t, { a: '1', b: '1' })
  const signal = signalOf(t)
  writeFileSync(join(dir, 'a'), '22')
  t.strictSame(await watch.nextChange(signal), [join(dir, 'a')])
  writeFileSync(join(dir, 'b'), '22')
  t.strictSame(await watch.nextChange(signal), [join(dir, 'b')], 'the first is no news')
})

t.test('a save by rename, with the same size and time, has changed', async (t) => {
  const { dir, watch } = watchFile(t, { a: '1' })
  const path = join(dir, 'a')
  writeFileSync(`${path}~`, '2')
  const time = new Date(1e12)
  utimesSync(path, time, time)
  await watch.nextChange(signalOf(t))
  utimesSync(`${path}~`, time, time)
  renameSync(`${path}~`, path)
  t.strictSame(await watch.nextChange(signalOf(t)), [path])
})

t.test('a file that goes, and one that comes back, has changed', async (t) => {
  const { dir, watch } = watchFile(t, { a: '1' })
  const path = join(dir, 'a')
  rmSync(path)
  t.strictSame(await watch.nextChange(signalOf(t)), [path])
  writeFileSync(path, '1')
  t.strictSame(await watch.nextChange(signalOf(t)), [path])
})

t.test('a folder that goes and comes back, as at a checkout, is still watched', async (t) => {
  const dir = t.testdir({ src: { a: '1' } })
  const path = join(dir, 'src', 'a')
  const watch = new FileWatch()
  watch.add(path, stampOf(path))
  rmSync(join(dir, 'src'), { recursive: true })
  t.strictSame(await watch.nextChange(signalOf(t)), [path])
  mkdirSync(join(dir, 'src'))
  writeFileSync(path, 'x')
  t.strictSame(await watch.nextChange(signalOf(t)), [path])
})

t.test('a file that is waited for has changed when it comes', async (t) => {
  const dir = t.testdir({})
  const watch = new FileWatch()
  watch.add(join(dir, 'later'), MISSING)
  writeFileSync(join(dir, 'later'), '')
  t.strictSame(await watch.nextChange(signalOf(t)), [join(dir, 'later')])
})

t.test('a file that was read in another state than the one known has changed', async (t) => {
  const { dir, watch } = watchFile(t, { a: '1' })
  watch.add(join(dir, 'a'), 'the state before')
  t.strictSame(await watch.nextChange(signalOf(t)), [join(dir, 'a')])
})

t.test('a burst is one change', async (t) => {
  const names = Array.from({ length: 200 }, (_, index) => `file-${index}`)
  const { dir, watch } = watchFile(t, Object.fromEntries(names.map((name) => [name, '1'])))
  for (const name of names) writeFileSync(join(dir, name), '22')
  const changed = await watch.nextChange(signalOf(t))
  t.strictSame([...changed].sort(), names.map((name) => join(dir, name)).sort())
})

t.test('folders are watched with all below them but dependencies', async (t) => {
  const dir = t.testdir({ views: { deep: { a: '1' }, node_modules: { b: '1' } } })
  const views = join(dir, 'views')
  const watch = new FileWatch([views, join(dir, 'none')])
  t.equal(watch.size, 2, 'a file that is there, and one that is not')
  writeFileSync(join(views, 'node_modules', 'c'), '')
  writeFileSync(join(views, 'deep', 'new'), '')
  t.strictSame(await watch.nextChange(signalOf(t)), [join(views, 'deep', 'new')])
  writeFileSync(join(views, 'deep', 'a'), '22')
  t.strictSame(await watch.nextChange(signalOf(t)), [join(views, 'deep', 'a')])
})

t.test('a folder that is named before it is there', async (t) => {
  const dir = t.testdir({})
  const watch = new FileWatch([join(dir, 'views')])
  mkdirSync(join(dir, 'views'))
  writeFileSync(join(dir, 'views', 'a'), '')
  const changed = await watch.nextChange(signalOf(t))
  t.ok(changed.includes(join(dir, 'views', 'a')), changed.join(' '))
})

t.test('waiting can be given up', async (t) => {
  const controller = new AbortController()
  const waiting = new FileWatch().nextChange(controller.signal)
  controller.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
  await t.rejects(new FileWatch().nextChange(controller.signal), { message: 'enough' })
})
