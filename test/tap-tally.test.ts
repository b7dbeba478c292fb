import t from 'tap'
import { TapTally } from '../scripts/tap-tally.mjs'

function tallyOf(text: string): TapTally {
  const tally = new TapTally()
  for (const line of text.split('\n')) tally.readLine(line)
  return tally
}

const counts = ({ passed, failed, skipped }: TapTally) => ({ passed, failed, skipped })

t.test('leaves count, their parents do not', async (t) => {
  const tally = tallyOf(`TAP version 14
# Subtest: outer
    ok 1 - one
    # Subtest: inner
        ok 1 - two
        1..1
    ok 2 - inner # time=1.2ms
    ok 3 - later # SKIP wrk is not installed
    not ok 4 - some day # TODO
    1..4
ok 1 - outer # time=3ms

ok 2 - a name with \\# SKIP in it
# Subtest: empty
    1..0
ok 3 - empty # time=1ms
1..3
# { total: 6, pass: 4, skip: 1, todo: 1 }
# time=8ms`)
  t.same(counts(tally), {
    passed: 4,
    failed: 0,
    skipped: ['outer > later: wrk is not installed', 'outer > some day: to do: no reason given'],
  })
  t.equal(tally.whyIncomplete(), undefined)
})

t.test('a failure counts once, and text in its diagnostics does not count', async (t) => {
  const tally = tallyOf(`# Subtest: outer
    not ok 1 - wrong
      ---
      diff: |
        ok 1 - not a test point
        # Subtest: neither
      ...
    ok 2 - right
    1..2
not ok 1 - outer # time=3ms
  ---
  at: somewhere
  ...
1..1
`)
  t.match(counts(tally), { passed: 1, failed: 1 })
  t.equal(tally.whyIncomplete(), undefined)
})

t.test('a parent that fails though its children pass is a failure', async (t) => {
  const tally = tallyOf(`# Subtest: outer
    ok 1 - fine
    1..2
    # test count(1) != plan(2)
not ok 1 - outer # time=3ms
1..1
`)
  t.match(counts(tally), { passed: 1, failed: 1 })
})

t.test('buffered subtests are read like others', async (t) => {
  const tally = tallyOf(`ok 1 - buffered # time=2ms {
    ok 1 - one
    not ok 2 - two # TODO
    ok 3 - inner {
        ok 1 - three
        1..1
    }
    1..3
}
1..1
`)
  t.match(counts(tally), { passed: 2, failed: 0, skipped: { length: 1 } })
  t.equal(tally.whyIncomplete(), undefined)
})

t.test('a file that is skipped as a whole says why', async (t) => {
  const tally = tallyOf('TAP version 14\n1..0 # needs Linux')
  t.same(counts(tally), { passed: 0, failed: 0, skipped: ['all: needs Linux'] })
  t.equal(tally.whyIncomplete(), undefined)
})

t.test('output that is not a whole run is told apart', async (t) => {
  t.equal(tallyOf('').whyIncomplete(), 'the output has no plan')
  t.equal(tallyOf('# Subtest: a\n    ok 1 - x').whyIncomplete(), 'the output stops inside "a"')
  t.equal(tallyOf('ok 1 - a\n1..2').whyIncomplete(), '2 tests planned, 1 reported')
  t.equal(tallyOf('1..0').whyIncomplete(), 'no test ran')
})
