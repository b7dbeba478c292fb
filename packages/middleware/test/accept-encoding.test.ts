// RFC 9110 §12.5.3: which coding an Accept-Encoding asks for.

import type { HttpRequest } from '@rr/core'
import t from 'tap'
import { acceptedCodings } from '../src/accept-encoding.ts'
import { CODINGS } from '../src/content-codings.ts'

const CASES: [title: string, header: string | null, coding: string | null, refused?: boolean][] = [
  ['no field asks for nothing', null, null],
  ['an empty field asks for nothing', '', null],
  ['the only one', 'gzip', 'gzip'],
  ['names in any case', 'GZip', 'gzip'],
  ['x-gzip is gzip (§8.4.1.3)', 'x-gzip', 'gzip'],
  ['an unknown one', 'compress, exi', null],
  ['the server chooses among equals', 'gzip, deflate, br, zstd', 'zstd'],
  ['also where the order differs', 'zstd;q=0.5, gzip;q=0.5, br;q=0.5', 'zstd'],
  ['br before gzip', 'gzip, deflate, br', 'br'],
  ['gzip before deflate', 'deflate, gzip', 'gzip'],
  ['the highest weight wins', 'zstd;q=0.2, gzip;q=0.8, br;q=0.799', 'gzip'],
  ['weights with spaces, and a large Q', 'gzip ; Q=0.5 , br;q=0.4', 'gzip'],
  ['weight 0 is a refusal', 'gzip;q=0', null],
  ['in all its forms', 'gzip;q=0., br;q=0.0, zstd;q=0.000', null],
  ['* stands for those not listed', '*', 'zstd'],
  ['but not for those that are', 'zstd;q=0, *', 'br'],
  ['* with less than a listed one', 'gzip, *;q=0.5', 'gzip'],
  ['identity above all', 'identity, gzip;q=0.5', null],
  ['identity as good as another', 'identity, gzip', 'gzip'],
  ['identity below', 'gzip, identity;q=0.5', 'gzip'],
  ['identity refused', 'gzip, identity;q=0', 'gzip', true],
  ['identity refused by *', 'gzip, *;q=0', 'gzip', true],
  ['identity listed against *', 'identity, *;q=0', null, false],
  ['all refused', 'identity;q=0', null, true],
  ['everything refused', '*;q=0', null, true],
  ['a weight above 1 is none', 'gzip;q=2, br;q=0.1', 'br'],
  ['nor has one four decimals', 'gzip;q=0.5555, deflate', 'deflate'],
  ['a parameter that is no weight', 'gzip;level=9, deflate', 'deflate'],
  ['empty members', ',, ,gzip,', 'gzip'],
  ['the best of repeated members', 'gzip;q=0, gzip', 'gzip'],
  ['nonsense', ';;;q=1,=,\t"', null],
  ['the name of a property', '__proto__, constructor;q=1', null],
]

/** In the order of the server: what copies of files there are. */
const LISTS: readonly [title: string, header: string | null, accepted: string][] = [
  ['without the field nothing but the content itself', null, ''],
  ['an empty field takes nothing', '', ''],
  ['equal weights: in the order of the server', 'gzip, br, zstd', 'br zstd gzip'],
  ['the heaviest first', 'br;q=0.1, gzip;q=0.9, zstd;q=0.5', 'gzip zstd br'],
  ['q=0.000 is refused', 'br;q=0.000, gzip;q=0.001', 'gzip'],
  ['* stands for what is not named', 'gzip;q=0.5, *', 'br zstd gzip'],
  ['*;q=0 refuses what is not named', 'gzip, *;q=0', 'gzip'],
  ['identity liked better keeps the content as it is', 'identity, br;q=0.5', ''],
  ['identity liked as well gives way', 'identity;q=0.5, br;q=0.5', 'br'],
  ['spaces around the weight', 'br ; q=0.5 ,\tgzip', 'gzip br'],
  ['malformed members are left out', 'br;q=2, zstd;q=x, gzip;level=9, ;q=1', ''],
]

function withField(header: string | null): { headers: HttpRequest['headers'] } {
  const { headers } = new Request('http://a/')
  if (header !== null) headers.set('accept-encoding', header)
  return { headers: headers as unknown as HttpRequest['headers'] }
}

for (const [title, header, coding, isPlainRefused = false] of CASES) {
  t.test(`${title}: ${header}`, async (t) => {
    const accepted = acceptedCodings(withField(header), CODINGS)
    t.equal(accepted.codings[0] ?? null, coding)
    t.equal(accepted.isPlainRefused, isPlainRefused)
  })
}

for (const [title, header, accepted] of LISTS) {
  t.test(`${title}: ${header}`, async (t) => {
    t.equal(acceptedCodings(withField(header), ['br', 'zstd', 'gzip']).codings.join(' '), accepted)
  })
}

t.test('only what is offered', async (t) => {
  t.same(acceptedCodings(withField('gzip, br'), ['gzip', 'br']).codings, ['gzip', 'br'])
  t.same(acceptedCodings(withField('br'), ['gzip']).codings, [])
})

t.test('a field as long as a request may be takes no time', async (t) => {
  const start = performance.now()
  acceptedCodings(withField('gzip;q=0.1,'.repeat(10_000)), CODINGS)
  acceptedCodings(withField(`gzip${' '.repeat(100_000)};q=${'0'.repeat(100_000)}`), CODINGS)
  t.same(acceptedCodings(withField('br;q=0.5\t'.repeat(50_000)), CODINGS).codings, [])
  t.same(acceptedCodings(withField(`br${' '.repeat(100_000)}x`), CODINGS).codings, [])
  t.ok(performance.now() - start < 1000)
})
