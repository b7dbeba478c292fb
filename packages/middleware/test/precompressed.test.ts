import t from 'tap'
import { acceptedCodings, type Precompressed } from '../src/precompressed.ts'

const ALL: readonly Precompressed[] = ['br', 'zstd', 'gzip']

const cases: readonly [title: string, field: string | null, accepted: string][] = [
  ['without the field nothing but the file itself', null, ''],
  ['an empty field takes nothing', '', ''],
  ['equal weights: in the order of the server', 'gzip, br, zstd', 'br zstd gzip'],
  ['the heaviest first', 'br;q=0.1, gzip;q=0.9, zstd;q=0.5', 'gzip zstd br'],
  ['q=0 is refused', 'br;q=0, gzip', 'gzip'],
  ['q=0.000 is refused', 'br;q=0.000, gzip;q=0.001', 'gzip'],
  ['* stands for what is not named', 'gzip;q=0.5, *', 'br zstd gzip'],
  ['*;q=0 refuses what is not named', 'gzip, *;q=0', 'gzip'],
  ['names are case-insensitive', 'BR', 'br'],
  ['x-gzip is gzip (RFC 9110 §8.4.1.3)', 'x-gzip', 'gzip'],
  ['identity liked better keeps the file as it is', 'identity, br;q=0.5', ''],
  ['identity liked as well gives way', 'identity;q=0.5, br;q=0.5', 'br'],
  ['spaces around the weight', 'br ; q=0.5 ,\tgzip', 'gzip br'],
  ['malformed members are left out', 'br;q=2, zstd;q=x, gzip;level=9, ;q=1', ''],
]

for (const [title, field, accepted] of cases) {
  t.test(`§12.5.3 ${title}`, async (t) => {
    t.equal(acceptedCodings(field, ALL).join(' '), accepted)
  })
}

t.test('§12.5.3 only what is available', async (t) => {
  t.same(acceptedCodings('br, gzip', ['gzip']), ['gzip'])
})

t.test('a hostile field is read in one pass', async (t) => {
  t.same(acceptedCodings('br;q=0.5\t'.repeat(50_000), ALL), [])
  t.same(acceptedCodings(`br${' '.repeat(100_000)}x`, ALL), [])
})
