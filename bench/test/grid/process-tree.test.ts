import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseProcessStat, sampleProcessTree } from '../../src/grid/process-tree.ts'

/**
 * Recorded from a cluster primary (4283), its two workers (4294, 4296) and a shell that became
 * `sleep` (4291) after it had waited for a busy child; 20041 is the shell that started it all.
 */
const PROC = fileURLToPath(new URL('fixtures/proc', import.meta.url))
const PRIMARY = 4283

/** The recorded processes as a directory tree for tap, with some changed or left out. */
function recorded(
  change: (pid: number, stat: string) => string | null,
): Record<string, Record<string, string>> {
  const folders: Record<string, Record<string, string>> = {}
  for (const name of readdirSync(PROC)) {
    const read = (file: string): string => readFileSync(`${PROC}/${name}/${file}`, 'latin1')
    const stat = change(Number(name), read('stat'))
    if (stat !== null) folders[name] = { stat, status: read('status') }
  }
  return folders
}

t.test('the sum over the tree: workers, and children that were waited for', async (t) => {
  const sample = sampleProcessTree(PRIMARY, [], PROC)
  t.same(sample.members.map(({ pid }) => pid).sort(), [4283, 4291, 4294, 4296])
  // Ticks: primary 4 + 0, workers 14 + 2 and 37 + 1, and 11 of the child that `sleep` waited for.
  t.equal(sample.cpuMicroseconds, 69 * 10_000)
  t.equal(sample.peakRssBytes, (46_296 + 1840 + 56_636 + 56_624) * 1024)
})

t.test('a subtree does not count its parent and siblings', async (t) => {
  const sample = sampleProcessTree(4294, [], PROC)
  t.same(
    sample.members.map(({ pid }) => pid),
    [4294],
  )
  t.equal(sample.cpuMicroseconds, 16 * 10_000)
})

t.test('members stay members when their parent has ended', async (t) => {
  const before = sampleProcessTree(PRIMARY, [], PROC)
  const orphaned = (pid: number, stat: string): string | null =>
    pid === PRIMARY ? null : stat.replace(` S ${PRIMARY} `, ' S 1 ')
  const dir = t.testdir(recorded(orphaned))
  t.equal(sampleProcessTree(PRIMARY, [], dir).members.length, 0)
  const after = sampleProcessTree(PRIMARY, before.members, dir)
  t.same(after.members.map(({ pid }) => pid).sort(), [4291, 4294, 4296])
})

t.test('a number that another process has now is not a member', async (t) => {
  const before = sampleProcessTree(PRIMARY, [], PROC)
  const reused = (pid: number, stat: string): string =>
    pid === 4294 ? stat.replace(` S ${PRIMARY} `, ' S 1 ').replace(' 551501 ', ' 999999 ') : stat
  const after = sampleProcessTree(PRIMARY, before.members, t.testdir(recorded(reused)))
  t.same(after.members.map(({ pid }) => pid).sort(), [4283, 4291, 4296])
})

t.test('a process that is gone is an empty tree', async (t) => {
  t.same(sampleProcessTree(1_000_000, [], PROC), {
    members: [],
    cpuMicroseconds: 0,
    peakRssBytes: 0,
    rssBytes: 0,
  })
})

t.test('a name with spaces and parentheses shifts no field', async (t) => {
  const stat = '7 (a b) S c) R 3 1 1 0 -1 4194560 100 0 0 0 250 50 20 5 20 0 11 0 777 1 1 1'
  t.same(parseProcessStat(stat), { pid: 7, parent: 3, startTicks: 777, ticks: 325 })
  t.throws(() => parseProcessStat('7 (a) S 1'))
})

t.test('this very process is there, with CPU time and memory', async (t) => {
  const sample = sampleProcessTree(process.pid)
  t.equal(sample.members[0]?.pid, process.pid)
  t.ok(sample.peakRssBytes > 10 * 1024 * 1024)
  t.ok(sample.rssBytes > 10 * 1024 * 1024 && sample.rssBytes <= sample.peakRssBytes)
})
