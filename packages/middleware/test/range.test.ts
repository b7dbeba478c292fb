import fc from 'fast-check'
import t from 'tap'
import { type ByteRange, selectRanges } from '../src/range.ts'

function pairs(field: string, sizeBytes = 100): unknown {
  const selection = selectRanges(field, sizeBytes)
  return typeof selection === 'string'
    ? selection
    : selection.map(({ first, last }: ByteRange) => `${first}-${last}`).join(' ')
}

function list(count: number, step = 3): string {
  return `bytes=${Array.from({ length: count }, (_, i) => `${i * step}-${i * step}`).join(',')}`
}

t.test('§14.1 names of units are case-insensitive, other units are ignored', async (t) => {
  t.equal(pairs('BYTES=0-1'), '0-1')
  for (const field of ['lines=0-1', 'byte=0-1', 'none=0-1', '=0-1', ' bytes=0-1']) {
    t.equal(pairs(field), 'whole', field)
  }
})

t.test('§14.1.1 malformed sets are ignored as a whole', async (t) => {
  const malformed = [
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'bytes=1-2-3',
    'bytes=--1',
    'bytes=+1-2',
    'bytes=0x0-0x1',
    'bytes=1 - 2',
    'bytes=1.0-2',
    'bytes=0-1;2-3',
    'bytes=0-1,x',
    'bytes =0-1',
    'bytes=2-1',
    'bytes=\u00a00-1',
    'bytes=0-1,9-8',
    'bytes=\u0661-\u0662',
  ]
  for (const field of malformed) t.equal(pairs(field), 'whole', JSON.stringify(field))
})

t.test('§14.1.2 one range: closed, open, beyond the end', async (t) => {
  t.equal(pairs('bytes=0-0'), '0-0')
  t.equal(pairs('bytes=10-19'), '10-19')
  t.equal(pairs('bytes=90-'), '90-99')
  t.equal(pairs('bytes=0-'), '0-99')
  t.equal(pairs('bytes=99-'), '99-99')
  t.equal(pairs('bytes=90-99'), '90-99')
  t.equal(pairs('bytes=90-100'), '90-99')
  t.equal(pairs(`bytes=90-${'9'.repeat(400)}`), '90-99')
})

t.test('§14.1.2 a suffix: of some bytes, of all, of more than there are, of none', async (t) => {
  t.equal(pairs('bytes=-1'), '99-99')
  t.equal(pairs('bytes=-100'), '0-99')
  t.equal(pairs('bytes=-101'), '0-99')
  t.equal(pairs(`bytes=-${'9'.repeat(400)}`), '0-99')
  t.equal(pairs('bytes=-0'), 'unsatisfiable')
})

t.test('§14.1.2 unsatisfiable: nothing of the set is there', async (t) => {
  t.equal(pairs('bytes=100-'), 'unsatisfiable')
  t.equal(pairs('bytes=100-200'), 'unsatisfiable')
  t.equal(pairs(`bytes=${'9'.repeat(400)}-`), 'unsatisfiable')
  t.equal(pairs('bytes=100-,-0,200-300'), 'unsatisfiable')
  t.equal(pairs('bytes=100-,5-6'), '5-6', 'what is there is sent')
})

t.test('§14.1.2 an empty file', async (t) => {
  t.equal(pairs('bytes=0-', 0), 'unsatisfiable')
  t.equal(pairs('bytes=0-0', 0), 'unsatisfiable')
  t.equal(pairs('bytes=-5', 0), 'whole')
  t.equal(pairs('bytes=-0', 0), 'unsatisfiable')
})

t.test(
  '§15.3.7.2 several ranges keep their order, empty members and spaces do not count',
  async (t) => {
    t.equal(pairs('bytes=0-1,4-5'), '0-1 4-5')
    t.equal(pairs('bytes=80-89,0-9'), '80-89 0-9')
    t.equal(pairs('bytes= 0-1 ,,\t4-5, -1'), '0-1 4-5 99-99')
  },
)

t.test(
  '§15.3.7.2 ranges that touch or overlap are joined, in the place of the first',
  async (t) => {
    t.equal(pairs('bytes=0-4,5-9'), '0-9')
    t.equal(pairs('bytes=5-9,0-4'), '0-9')
    t.equal(pairs('bytes=0-4,6-9'), '0-4 6-9')
    t.equal(pairs('bytes=50-59,10-19,55-64'), '50-64 10-19')
    t.equal(pairs('bytes=10-29,12-13'), '10-29', 'one within another')
  },
)

t.test('§14.2 up to two ranges may overlap, three are ignored', async (t) => {
  t.equal(pairs('bytes=0-4,4-9'), '0-9')
  t.equal(pairs('bytes=0-4,4-9,9-12'), 'whole')
})

t.test('§14.2 up to 16 ranges are followed, 17 ignored', async (t) => {
  t.equal((selectRanges(list(15), 100) as readonly ByteRange[]).length, 15)
  t.equal((selectRanges(list(16), 100) as readonly ByteRange[]).length, 16)
  t.equal(pairs(list(17)), 'whole')
})

t.test('§14.2 they are counted once joined', async (t) => {
  t.equal(pairs(list(50, 1)), '0-49')
})

t.test('§14.2 as many bytes as there are, and one more', async (t) => {
  t.equal(pairs('bytes=0-49,50-98'), '0-98')
  t.equal(pairs('bytes=0-49,50-99'), '0-99')
  t.equal(pairs('bytes=0-50,50-99'), 'whole')
})

t.test('CVE-2011-3192: a thousand overlapping ranges cost one file and no more', async (t) => {
  const killer = `bytes=0-${Array.from({ length: 1300 }, (_, i) => `,5-${i + 5}`).join('')}`
  t.equal(pairs(killer, 1_000_000), 'whole')
  t.equal(pairs(`bytes=${'0-,'.repeat(100_000)}`, 1_000_000), 'whole')
  t.equal(pairs(`bytes=${'-1,'.repeat(100_000)}`, 1_000_000), 'whole')
})

t.test(
  '§14.2 whatever is asked, what is selected lies in the file, apart, and is no more than it',
  async (t) => {
    const member = fc.oneof(
      fc.tuple(fc.nat(120), fc.nat(120)).map(([first, last]) => `${first}-${last}`),
      fc.nat(120).map((first) => `${first}-`),
      fc.nat(120).map((suffix) => `-${suffix}`),
      fc.constantFrom('', ' ', 'x', '-', '0-0'),
    )
    const field = fc.array(member, { maxLength: 24 }).map((members) => `bytes=${members.join(',')}`)
    fc.assert(
      fc.property(fc.oneof(field, fc.string()), fc.nat(100), (value, sizeBytes) => {
        const selection = selectRanges(value, sizeBytes)
        if (typeof selection === 'string') return true
        const sorted = [...selection].sort((a, b) => a.first - b.first)
        return (
          sorted.length > 0 &&
          sorted.length <= 16 &&
          sorted.every(
            ({ first, last }, i) =>
              first > (sorted[i - 1]?.last ?? -2) + 1 && first <= last && last < sizeBytes,
          )
        )
      }),
      { numRuns: 2000 },
    )
    t.pass()
  },
)
