import fc from 'fast-check'
import t from 'tap'
import { type ConditionOutcome, evaluateConditions, evaluateIfRange } from '../src/conditional.ts'
import { isEntityTag, parseEntityTags } from '../src/entity-tags.ts'
import { formatHttpDate, parseHttpDate } from '../src/http-date.ts'

const CHANGED = Date.UTC(1994, 10, 6, 8, 49, 37)
const AT = 'Sun, 06 Nov 1994 08:49:37 GMT'
const BEFORE = 'Sun, 06 Nov 1994 08:49:36 GMT'
const AFTER = 'Sun, 06 Nov 1994 08:49:38 GMT'

const STRONG = { etag: '"a"', lastModifiedMs: CHANGED + 999, isLastModifiedStrong: true }
const WEAK = { etag: 'W/"a"', lastModifiedMs: CHANGED }
const NO_TAG = { etag: null, lastModifiedMs: CHANGED }
const NO_DATE = { etag: '"a"', lastModifiedMs: null }

function request(method: string, fields: Record<string, string>) {
  return { method, headers: { get: (name: string) => fields[name] ?? null } }
}

type Case = readonly [
  title: string,
  method: string,
  fields: Record<string, string>,
  validators: Parameters<typeof evaluateConditions>[1],
  outcome: ConditionOutcome,
]

function run(cases: readonly Case[]): void {
  for (const [title, method, fields, validators, outcome] of cases) {
    t.test(title, async (t) => {
      t.equal(evaluateConditions(request(method, fields), validators), outcome)
    })
  }
}

t.test('§5.6.7 an IMF-fixdate is read', async (t) => {
  t.equal(parseHttpDate(AT), CHANGED)
})

t.test('§5.6.7 an RFC 850 date is read', async (t) => {
  t.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'), CHANGED)
})

t.test('§5.6.7 an asctime date is read, its day padded by a space', async (t) => {
  t.equal(parseHttpDate('Sun Nov  6 08:49:37 1994'), CHANGED)
  t.equal(parseHttpDate('Wed Nov 16 08:49:37 1994'), CHANGED + 10 * 86_400_000)
})

t.test('§5.6.7 a two-digit year over 50 years ahead is in the past', async (t) => {
  const now = Date.UTC(2026, 0, 1)
  const yearOf = (digits: string): number =>
    new Date(parseHttpDate(`Monday, 01-Jan-${digits} 00:00:00 GMT`, now) ?? 0).getUTCFullYear()
  t.equal(yearOf('75'), 2075)
  t.equal(yearOf('76'), 2076)
  t.equal(yearOf('77'), 1977)
  t.equal(yearOf('00'), 2000)
})

t.test('§5.6.7 what is no date is none', async (t) => {
  const none = [
    '',
    '0',
    '784111777',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 30 Feb 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    `${AT}, ${AT}`,
    ` ${AT}`,
  ]
  for (const text of none) t.equal(parseHttpDate(text), null, JSON.stringify(text))
})

t.test('§5.6.7 a leap second is read, and years below 100 are themselves', async (t) => {
  t.equal(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT'), Date.UTC(2017, 0, 1))
  t.equal(new Date(parseHttpDate('Sat, 01 Jan 0050 00:00:00 GMT') ?? 0).getUTCFullYear(), 50)
})

t.test('§5.6.7 a date is written as IMF-fixdate, or not at all', async (t) => {
  t.equal(formatHttpDate(CHANGED + 999), AT)
  t.equal(formatHttpDate(Date.UTC(9999, 11, 31, 23, 59, 59)), 'Fri, 31 Dec 9999 23:59:59 GMT')
  t.equal(formatHttpDate(Date.UTC(10000, 0, 1)), null)
  t.equal(formatHttpDate(Number.NaN), null)
})

t.test('§8.8.3 what an entity tag is', async (t) => {
  for (const tag of ['"xyzzy"', 'W/"xyzzy"', '""', '"a,b"', '"!#~\xff"'])
    t.ok(isEntityTag(tag), tag)
  for (const tag of ['xyzzy', '"a', 'a"', 'w/"a"', 'W/a', '"a b"', '"a"b"', '"\t"', '']) {
    t.notOk(isEntityTag(tag), tag)
  }
})

t.test(
  '§13.1.1 a list of tags: commas inside, empty members, spaces, tags that are none',
  async (t) => {
    t.same(parseEntityTags('"a"'), ['"a"'])
    t.same(parseEntityTags('"a", W/"b" ,"c,d"'), ['"a"', 'W/"b"', '"c,d"'])
    t.same(parseEntityTags(', ,"a",,\t"b",'), ['"a"', '"b"'])
    t.same(parseEntityTags('a, "b"'), ['"b"'])
    t.same(parseEntityTags('"a" "b", "c"'), ['"c"'])
    t.same(parseEntityTags('"a, "b"'), ['"b"'])
    t.equal(parseEntityTags('*'), '*')
    t.equal(parseEntityTags(' * '), '*')
    t.same(parseEntityTags('*, "a"'), ['"a"'])
    t.same(parseEntityTags(''), [])
  },
)

t.test('§13.1.1 a hostile list of tags is read in one pass', async (t) => {
  for (const piece of ['"', ',', '"a', 'W/', '" ', '"a" ', '"a"\t']) {
    const start = performance.now()
    parseEntityTags(piece.repeat(200_000))
    t.ok(performance.now() - start < 2000, JSON.stringify(piece))
  }
})

run([
  [
    '§13.1.1 If-Match goes on with the same tag',
    'PUT',
    { 'if-match': '"b", "a"' },
    STRONG,
    'proceed',
  ],
  ['§13.1.1 If-Match fails without it', 'PUT', { 'if-match': '"b"' }, STRONG, 412],
  ['§13.1.1 If-Match compares strongly: weak here', 'GET', { 'if-match': 'W/"a"' }, STRONG, 412],
  ['§13.1.1 If-Match compares strongly: weak there', 'GET', { 'if-match': '"a"' }, WEAK, 412],
  ['§13.1.1 If-Match compares strongly: both weak', 'GET', { 'if-match': 'W/"a"' }, WEAK, 412],
  [
    '§13.1.1 If-Match: * goes on when there is something',
    'PUT',
    { 'if-match': '*' },
    NO_TAG,
    'proceed',
  ],
  ['§13.1.1 If-Match: * fails when there is nothing', 'PUT', { 'if-match': '*' }, null, 412],
  [
    '§13.1.1 If-Match with a tag fails where there is none',
    'PUT',
    { 'if-match': '"a"' },
    NO_TAG,
    412,
  ],
  [
    '§13.1.1 If-Match without one tag protects all the same',
    'PUT',
    { 'if-match': 'a' },
    STRONG,
    412,
  ],
  ['§13.1.2 If-None-Match answers 304 to GET', 'GET', { 'if-none-match': '"a"' }, STRONG, 304],
  [
    '§13.1.2 If-None-Match answers 304 to HEAD',
    'HEAD',
    { 'if-none-match': '"b","a"' },
    STRONG,
    304,
  ],
  ['§13.1.2 If-None-Match answers 412 to others', 'PUT', { 'if-none-match': '"a"' }, STRONG, 412],
  [
    '§13.1.2 If-None-Match compares weakly: weak there',
    'GET',
    { 'if-none-match': '"a"' },
    WEAK,
    304,
  ],
  [
    '§13.1.2 If-None-Match compares weakly: weak here',
    'GET',
    { 'if-none-match': 'W/"a"' },
    STRONG,
    304,
  ],
  [
    '§13.1.2 If-None-Match goes on with another tag',
    'GET',
    { 'if-none-match': '"b"' },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.2 If-None-Match: * asks that there be nothing',
    'PUT',
    { 'if-none-match': '*' },
    STRONG,
    412,
  ],
  [
    '§13.1.2 If-None-Match: * goes on when there is nothing',
    'PUT',
    { 'if-none-match': '*' },
    null,
    'proceed',
  ],
  [
    '§13.1.2 If-None-Match without one tag matches nothing',
    'GET',
    { 'if-none-match': 'a' },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.3 If-Modified-Since answers 304 at the same second',
    'GET',
    { 'if-modified-since': AT },
    STRONG,
    304,
  ],
  [
    '§13.1.3 If-Modified-Since answers 304 after it',
    'HEAD',
    { 'if-modified-since': AFTER },
    STRONG,
    304,
  ],
  [
    '§13.1.3 If-Modified-Since goes on before it',
    'GET',
    { 'if-modified-since': BEFORE },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.3 If-Modified-Since is for GET and HEAD only',
    'POST',
    { 'if-modified-since': AFTER },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.3 If-Modified-Since is ignored when it is no date',
    'GET',
    { 'if-modified-since': 'now' },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.3 If-Modified-Since is ignored where no date is known',
    'GET',
    { 'if-modified-since': AFTER },
    NO_DATE,
    'proceed',
  ],
  [
    '§13.1.3 If-Modified-Since is ignored beside If-None-Match',
    'GET',
    { 'if-none-match': '"b"', 'if-modified-since': AFTER },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.3 and beside one without a tag too',
    'GET',
    { 'if-none-match': 'b', 'if-modified-since': AFTER },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.4 If-Unmodified-Since goes on at the same second',
    'PUT',
    { 'if-unmodified-since': AT },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.4 If-Unmodified-Since fails before it',
    'GET',
    { 'if-unmodified-since': BEFORE },
    STRONG,
    412,
  ],
  [
    '§13.1.4 If-Unmodified-Since is ignored when it is no date',
    'PUT',
    { 'if-unmodified-since': 'x' },
    STRONG,
    'proceed',
  ],
  [
    '§13.1.4 If-Unmodified-Since is ignored where no date is known',
    'PUT',
    { 'if-unmodified-since': BEFORE },
    NO_DATE,
    'proceed',
  ],
  [
    '§13.1.4 If-Unmodified-Since is ignored beside If-Match',
    'PUT',
    { 'if-match': '"a"', 'if-unmodified-since': BEFORE },
    STRONG,
    'proceed',
  ],
])

t.test('§13.1.5 If-Range', async (t) => {
  const holds = (value: string, validators: Parameters<typeof evaluateIfRange>[1]): boolean =>
    evaluateIfRange(request('GET', { 'if-range': value }), validators)
  t.equal(evaluateIfRange(request('GET', {}), WEAK), true, 'without the field')
  t.equal(holds('"a"', STRONG), true)
  t.equal(holds('"b"', STRONG), false)
  t.equal(holds('W/"a"', WEAK), false, 'weak tags never hold')
  t.equal(holds('"a"', WEAK), false)
  t.equal(holds('"a"', NO_TAG), false)
  t.equal(holds('"a", "b"', STRONG), false, 'one tag, not a list')
  t.equal(holds(AT, STRONG), true)
  t.equal(holds(AFTER, STRONG), false, 'a date holds when it is exactly the same')
  t.equal(holds(BEFORE, STRONG), false)
  t.equal(holds(AT, NO_TAG), false, 'a date that is not strong never holds')
  t.equal(holds(AT, NO_DATE), false)
  t.equal(holds('nonsense', STRONG), false)
})

run([
  ['§13.2.2 without preconditions it goes on', 'GET', {}, STRONG, 'proceed'],
  [
    '§13.2.2 step 1 before 3: If-Match fails first',
    'GET',
    { 'if-match': '"b"', 'if-none-match': '"a"' },
    STRONG,
    412,
  ],
  [
    '§13.2.2 step 1 then 3: If-Match holds, If-None-Match answers',
    'GET',
    { 'if-match': '"a"', 'if-none-match': '"a"' },
    STRONG,
    304,
  ],
  [
    '§13.2.2 step 2 before 3: If-Unmodified-Since fails first',
    'GET',
    { 'if-unmodified-since': BEFORE, 'if-none-match': '"a"' },
    STRONG,
    412,
  ],
  [
    '§13.2.2 step 2 before 4: If-Unmodified-Since fails first',
    'GET',
    { 'if-unmodified-since': BEFORE, 'if-modified-since': AFTER },
    STRONG,
    412,
  ],
  [
    '§13.2.2 step 1 then 4: If-Match holds, If-Modified-Since answers',
    'GET',
    { 'if-match': '*', 'if-modified-since': AT },
    STRONG,
    304,
  ],
])

t.test('§13.2.2 whatever is sent, there is an answer', async (t) => {
  const names = [
    'if-match',
    'if-none-match',
    'if-modified-since',
    'if-unmodified-since',
    'if-range',
  ]
  const piece = fc.constantFrom('"', 'W/', ',', ' ', 'a', '*', '\t', AT, 'GMT', '\xff', '"a"')
  const value = fc.oneof(
    fc.string(),
    fc.array(piece).map((pieces) => pieces.join('')),
  )
  const fields = fc.dictionary(fc.constantFrom(...names), value)
  fc.assert(
    fc.property(fc.constantFrom('GET', 'PUT'), fields, (method, fields) => {
      const outcome = evaluateConditions(request(method, fields), STRONG)
      const holds = evaluateIfRange(request(method, fields), STRONG)
      return ['proceed', 304, 412].includes(outcome) && typeof holds === 'boolean'
    }),
    { numRuns: 2000 },
  )
  t.pass()
})
