// RFC 9110 §12.5.3: which coding an Accept-Encoding asks for.

import t from 'tap'
import { chooseCoding } from '../src/accept-encoding.ts'
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
  ['the first of repeated members', 'gzip;q=0, gzip', null],
  ['nonsense', ';;;q=1,=,\t"', null],
  ['the name of a property', '__proto__, constructor;q=1', null],
]

for (const [title, header, coding, isPlainRefused = false] of CASES) {
  t.test(`${title}: ${header}`, async (t) => {
    t.same(chooseCoding(header, CODINGS), { coding, isPlainRefused })
  })
}

t.test('the preference can be another one', async (t) => {
  t.equal(chooseCoding('gzip, br', ['gzip', 'br']).coding, 'gzip')
  t.equal(chooseCoding('br', ['gzip']).coding, null)
})

t.test('a field as long as a request may be takes no time', async (t) => {
  const start = performance.now()
  chooseCoding('gzip;q=0.1,'.repeat(10_000), CODINGS)
  chooseCoding(`gzip${' '.repeat(100_000)};q=${'0'.repeat(100_000)}`, CODINGS)
  t.ok(performance.now() - start < 1000)
})
