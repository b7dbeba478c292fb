import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { FORM_OPTIONS } from '../src/form-options.ts'
import { HTTP_OPTIONS } from '../src/http-options.ts'
import { MULTIPART_OPTIONS } from '../src/multipart-options.ts'
import {
  describeDefault,
  describeValues,
  nearestName,
  type OptionRow,
  type OptionTable,
  resolveOptions,
} from '../src/options.ts'

const TABLE = {
  maxThings: { type: 'integer', default: 5, minimum: 1, maximum: 10, doc: '' },
  workers: { type: 'integer-or-auto', default: 'auto', minimum: 1, maximum: 4, doc: '' },
  quick: { type: 'boolean', default: false, doc: '' },
  level: { type: 'enum', default: 'info', values: ['debug', 'info'], doc: '' },
  host: { type: 'string', default: '::', doc: '' },
  near: { type: 'string-list', default: [], items: 'network', doc: '' },
} as const satisfies OptionTable

t.test('defaults fill what is not given, and nothing can be changed afterwards', (t) => {
  const defaults = {
    maxThings: 5,
    workers: 'auto',
    quick: false,
    level: 'info',
    host: '::',
    near: [],
  }
  t.same(resolveOptions(TABLE, {}, 'test'), defaults)
  t.same(resolveOptions(TABLE, { maxThings: undefined }, 'test'), defaults)
  const options = resolveOptions(TABLE, { maxThings: 7, quick: true }, 'test')
  t.same(options, { ...defaults, maxThings: 7, quick: true })
  t.ok(Object.isFrozen(options))
  t.end()
})

t.test('values of the wrong type or outside their bounds are refused', (t) => {
  const bad: readonly (readonly [keyof typeof TABLE, readonly unknown[], string])[] = [
    [
      'maxThings',
      [0, 11, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', true, null, [], {}, 5n],
      'a whole number from 1 to 10',
    ],
    ['workers', [0, 5, 'Auto', '2', '', null, true], "'auto' or a whole number from 1 to 4"],
    ['quick', [0, 1, 'true', '', null], 'true or false'],
    ['level', ['Info', 'warn', '', 0, null, 'toString'], 'one of debug, info'],
    ['host', ['', 5, null, true, []], 'a string that is not empty'],
    [
      'near',
      ['loopback', '', 5, null, {}, [''], [5], [null], ['10.0.0.0/33'], ['loopback', 'far']],
      'a list of which each is an IP address, a network as in 10.0.0.0/8 or 2001:db8::/32, or loopback or private',
    ],
  ]
  for (const [name, values, expected] of bad) {
    for (const value of values) {
      t.throws(() => resolveOptions(TABLE, { [name]: value } as never, 'serve()'), {
        code: 'RR_OPTION_INVALID',
        message: `serve(): '${name}' takes ${expected}, not ${typeof value === 'string' ? `'${value}'` : String(value)}`,
      })
    }
    t.equal(describeValues(TABLE[name] as OptionRow), expected)
  }
  const good: readonly Parameters<typeof resolveOptions<typeof TABLE>>[1][] = [
    { maxThings: 1 },
    { maxThings: 10 },
    { workers: 'auto' },
    { workers: 1 },
    { workers: 4 },
    { quick: true },
    { level: 'debug' },
    { host: 'a' },
    { near: [] },
    { near: ['loopback', '192.0.2.1', '2001:db8::/32'] },
  ]
  for (const input of good) t.match(resolveOptions(TABLE, input, 'test'), input)
  t.end()
})

t.test('a list is copied, so that it stays as it was checked', async (t) => {
  const near = ['loopback']
  const options = resolveOptions(TABLE, { near }, 'test')
  near.push('anything')
  t.same(options.near, ['loopback'])
  t.ok(Object.isFrozen(options.near))
})

t.test('defaults in words', async (t) => {
  t.equal(describeDefault(TABLE.maxThings), '5')
  t.equal(describeDefault(TABLE.near), 'none')
  t.equal(describeDefault({ ...TABLE.near, default: ['loopback', '::1'] }), 'loopback,::1')
})

t.test('an unknown option names the nearest one', (t) => {
  const message = (key: string): string => {
    try {
      resolveOptions(TABLE, { [key]: 1 } as never, 'serve()')
    } catch (error) {
      t.match(error, { code: 'RR_OPTION_UNKNOWN' })
      return (error as Error).message
    }
    return ''
  }
  t.equal(message('maxthings'), "serve(): unknown option 'maxthings'; did you mean 'maxThings'?")
  t.equal(message('maxTings'), "serve(): unknown option 'maxTings'; did you mean 'maxThings'?")
  t.equal(message('worker'), "serve(): unknown option 'worker'; did you mean 'workers'?")
  t.equal(message('colour'), "serve(): unknown option 'colour'")
  t.equal(message('toString'), "serve(): unknown option 'toString'")
  t.equal(message(''), "serve(): unknown option ''")
  t.throws(() => resolveOptions(TABLE, JSON.parse('{"__proto__": 1}'), 'serve()'), {
    code: 'RR_OPTION_UNKNOWN',
  })
  t.equal(({} as { maxThings?: number }).maxThings, undefined)

  t.equal(nearestName('prot', ['port', 'host']), 'port')
  t.equal(nearestName('x', ['port', 'host']), null)
  t.equal(nearestName('port', []), null)
  t.end()
})

t.test('HTTP_OPTIONS, FORM_OPTIONS and MULTIPART_OPTIONS', async (t) => {
  const source = readSources(new URL('../src/', import.meta.url))
  const table: OptionTable = { ...HTTP_OPTIONS, ...FORM_OPTIONS, ...MULTIPART_OPTIONS }
  for (const [name, row] of Object.entries(table)) {
    t.ok(row.doc.length > 20, `${name} is documented`)
    if (row.type === 'integer') {
      const { minimum, maximum } = row
      t.ok(minimum <= row.default && row.default <= maximum)
      t.match(resolveOptions(table, { [name]: minimum }, ''), { [name]: minimum })
      t.match(resolveOptions(table, { [name]: maximum }, ''), { [name]: maximum })
      for (const outside of [minimum - 1, maximum + 1]) {
        t.throws(() => resolveOptions(table, { [name]: outside }, ''), {
          code: 'RR_OPTION_INVALID',
        })
      }
    } else if (row.type === 'enum') {
      for (const value of row.values)
        t.match(resolveOptions(table, { [name]: value }, ''), { [name]: value })
      t.throws(() => resolveOptions(table, { [name]: 'x' }, ''), { code: 'RR_OPTION_INVALID' })
    } else if (row.type === 'string-list') {
      t.match(resolveOptions(table, { [name]: ['loopback'] }, ''), { [name]: ['loopback'] })
      t.throws(() => resolveOptions(table, { [name]: ['x'] }, ''), { code: 'RR_OPTION_INVALID' })
    } else {
      t.equal(row.type, 'boolean')
      t.match(resolveOptions(table, { [name]: !row.default }, ''), { [name]: !row.default })
      t.throws(() => resolveOptions(table, { [name]: 1 }, ''), { code: 'RR_OPTION_INVALID' })
    }
    t.ok(
      new RegExp(`limits[^;]*\\b${name}\\b|\\b${name}\\b[^;]*limits`).test(source),
      `${name} is read`,
    )
  }
})

/** The text of the source, but for the tables of options themselves. */
function readSources(folder: URL): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/(http|form|multipart)-options\.ts$/.test(file))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n')
}
