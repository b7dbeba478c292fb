import { fileURLToPath } from 'node:url'
import t from 'tap'
import { callPlace, placeInStack } from '../src/call-place.ts'
import { createRouter, RouteError } from '../src/index.ts'
import { MAX_PATTERN_SEGMENTS } from '../src/pattern.ts'
import { served, unused } from './support/requests.ts'

const thisFile = fileURLToPath(import.meta.url)

/** The place of the line after the caller's, up to its column. */
function nextLine(): string {
  const [, file, line] = /^(.*):(\d+):\d+$/.exec(callPlace(nextLine)) ?? []
  return `${file}:${Number(line) + 1}:`
}

function errorOf(run: () => unknown): RouteError {
  try {
    run()
  } catch (error) {
    if (error instanceof RouteError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

t.test('a bad pattern fails where it is added', async (t) => {
  const bad: [pattern: string, reason: RegExp][] = [
    ['', /must start with '\/'/],
    ['users', /must start with '\/'/],
    ['*', /must start with '\/'/],
    ['/a//b', /empty segment/],
    ['//', /empty segment/],
    ['/:', /needs a name/],
    ['/*', /needs a name, as in '\*name'/],
    ['/a/*', /needs a name/],
    ['/*rest/more', /not its last segment/],
    ['/*rest/', /not its last segment/],
    ['/:id/x/:id', /'id' is in it twice/],
    ['/:id/*id', /'id' is in it twice/],
    ['/:1st', /not a name/],
    ['/:a-b', /not a name/],
    ['/:id?', /not a name/],
    ['/:id(\\d+)', /not a name/],
    ['/:from-:to', /not a name/],
    ['/*.png', /not a name/],
    ['/:__proto__', /__proto__/],
    ['/*__proto__', /__proto__/],
    ['/a:b', /':' in the segment 'a:b' must be written %3A/],
    ['/a*', /must be written %2A/],
    ['/a?b=c', /must be written %3F/],
    ['/a#b', /must be written %23/],
    ['/{a}', /must be written %7B/],
    ['/a\\b', /must be written %5C/],
    ['/%', /not valid percent-encoded UTF-8/],
    ['/%zz', /not valid percent-encoded UTF-8/],
    ['/%C3', /not valid percent-encoded UTF-8/],
    ['/\ud800', /not valid percent-encoded UTF-8/],
    ['/./a', /dot segment/],
    ['/a/..', /dot segment/],
    ['/a/%2e%2E/b', /dot segment/],
    ['/a'.repeat(MAX_PATTERN_SEGMENTS + 1), /more than 256 segments/],
  ]
  for (const [pattern, reason] of bad) {
    const place = nextLine()
    const error = errorOf(() => createRouter().get(pattern, unused))
    t.equal(error.code, 'RR_ROUTE_INVALID', pattern)
    t.match(error.message, reason, pattern)
    t.ok(error.message.includes(`(${place}`), error.message)
  }
  t.equal(errorOf(() => createRouter().get('/*', unused)).name, 'RouteError')
  t.doesNotThrow(() => createRouter().get('/a'.repeat(MAX_PATTERN_SEGMENTS), unused))
})

t.test('what is no pattern, handler or options object is refused', async (t) => {
  const app = createRouter()
  const get = app.get as unknown as (...args: unknown[]) => void
  const bad: [args: unknown[], reason: RegExp][] = [
    [[42, unused], /pattern is not a string/],
    [[/x/, unused], /pattern is not a string/],
    [[], /pattern is not a string/],
    [['/x'], /no handler function, but undefined/],
    [['/x', null], /no handler function, but null/],
    [['/x', { status: 200 }], /no handler function, but object/],
    [['/x', {}, 'handler'], /no handler function, but string/],
    [['/x', 'options', unused], /options are not an object/],
    [['/x', null, unused], /options are not an object/],
    [['/x', { stat: 1 }, unused], /no option 'stat'; there is state/],
  ]
  for (const [args, reason] of bad) {
    const error = errorOf(() => get(...args))
    t.equal(error.code, 'RR_ROUTE_INVALID')
    t.match(error.message, reason)
  }
  t.equal(errorOf(() => app.match('x' as never)).code, 'RR_ROUTE_INVALID')
  t.equal(errorOf(() => app.mount('/x', {} as never)).code, 'RR_ROUTE_INVALID')
  t.equal(errorOf(() => app.mount('/x', null as never)).code, 'RR_ROUTE_INVALID')
  t.same(app.routes(), [], 'nothing of it was added')
})

t.test('a duplicate names both places', async (t) => {
  const app = createRouter()
  const first = nextLine()
  app.get('/a/:x', unused)
  const second = nextLine()
  const error = errorOf(() => app.get('/a/:y', unused))
  t.equal(error.code, 'RR_ROUTE_DUPLICATE')
  t.ok(first.startsWith(`${thisFile}:`), first)
  t.ok(error.message.includes(`GET /a/:x (${first}`), error.message)
  t.ok(error.message.includes(`GET /a/:y (${second}`), error.message)
})

t.test('patterns that match the same paths are duplicates', async (t) => {
  const same: [string, string][] = [
    ['/a', '/a'],
    ['/a/:x', '/a/:y'],
    ['/a/*x', '/a/*y'],
    ['/:a/b/:c', '/:x/b/:z'],
    ['/café', '/caf%C3%A9'],
    ['/hello', '/%68ello'],
    ['/a%2Fb', '/a%2fb'],
  ]
  for (const [one, two] of same) {
    t.throws(
      () => createRouter().get(one, unused).get(two, unused),
      { code: 'RR_ROUTE_DUPLICATE' },
      `${one} and ${two}`,
    )
    t.throws(() => createRouter().all(one, unused).all(two, unused), { code: 'RR_ROUTE_DUPLICATE' })
    t.doesNotThrow(() => createRouter().get(one, unused).post(two, unused))
    t.doesNotThrow(() => createRouter().get(one, unused).all(two, unused))
    t.doesNotThrow(() => createRouter().get(one, unused).head(two, unused))
  }
  const different: [string, string][] = [
    ['/a', '/a/'],
    ['/a/:x', '/a/*x'],
    ['/a/:x', '/a/:x/'],
    ['/%3Ax', '/:x'],
    ['/%2Ax', '/*x'],
    ['/%3F', '/:x'],
    ['/%23', '/*x'],
    ['/a/b', '/a%2Fb'],
    ['/a', '/A'],
  ]
  for (const [one, two] of different) {
    t.doesNotThrow(() => createRouter().get(one, unused).get(two, unused), `${one} and ${two}`)
  }
})

t.test('a second fallback is a duplicate that names both places', async (t) => {
  const app = createRouter()
  const first = nextLine()
  app.match(unused)
  const second = nextLine()
  const error = errorOf(() => app.match(unused))
  t.equal(error.code, 'RR_ROUTE_DUPLICATE')
  t.ok(error.message.includes(`(${first}`), error.message)
  t.ok(error.message.includes(`(${second}`), error.message)
})

t.test('no route can be added once the router serves', async (t) => {
  for (const start of ['compile', 'find', 'dispatch']) {
    const app = createRouter().get('/x', unused)
    if (start === 'compile') app.compile()
    else if (start === 'find') app.find('GET', '/y')
    else app.dispatch({ method: 'GET', path: '/x' } as never)
    const late = [
      () => app.get('/y', unused),
      () => app.match(unused),
      () => app.group('/g', () => {}),
      () => app.mount('/m', createRouter()),
    ]
    for (const add of late) {
      const error = errorOf(add)
      t.equal(error.code, 'RR_ROUTE_INVALID')
      t.match(error.message, /too late: the router is compiled/)
    }
    t.equal(served(app, 'GET', '/y'), 'not-found')
    t.equal(app.compile(), app, 'compile may be called again')
  }
})

t.test('routes() lists method, pattern and place in the order of registration', async (t) => {
  const app = createRouter()
  const place = nextLine()
  app.post('/b/:id', unused)
  app.group('/g', (group) => group.all('/*rest', unused))
  const [first, second] = app.routes()
  t.match(first, { method: 'POST', pattern: '/b/:id' })
  t.ok(first?.place.startsWith(place))
  t.match(second, { method: '*', pattern: '/g/*rest' })
  t.equal(app.routes().length, 2)
})

t.test('the place of a frame', async (t) => {
  const places: [frame: string, place: string][] = [
    ['    at file:///srv/app.ts:3:5', '/srv/app.ts:3:5'],
    ['    at async file:///srv/app.ts:3:5', '/srv/app.ts:3:5'],
    ['    at build (file:///srv/my%20app/(x)/app.ts:3:5)', '/srv/my app/(x)/app.ts:3:5'],
    ['    at Object.<anonymous> (/srv/app.cjs:3:5)', '/srv/app.cjs:3:5'],
    ['    at file:///srv/%zz.ts:3:5', 'file:///srv/%zz.ts:3:5'],
    ['    at new App (node:internal/x:1:2)', 'node:internal/x:1:2'],
  ]
  for (const [frame, place] of places) {
    t.equal(placeInStack(`Error: at x (y:1:1)\n${frame}\n    at z (q:9:9)`), place, frame)
  }
  t.equal(placeInStack('Error'), '(unknown place)')
})

t.test('a stack that cannot be read does no harm', async (t) => {
  const { stackTraceLimit } = Error
  t.teardown(() => {
    Error.stackTraceLimit = stackTraceLimit
  })
  Error.stackTraceLimit = 0
  t.equal(createRouter().get('/x', unused).routes()[0]?.place, '(unknown place)')
})
