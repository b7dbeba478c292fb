import t from 'tap'
import { createRouter } from '../src/index.ts'
import { fakeRequest, paramsOf, served, unused } from './support/requests.ts'

t.test('names that objects inherit are ordinary segments', async (t) => {
  const app = createRouter().get('/a/:x', unused).get('/s', unused).get('/s/b/:x', unused)
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf']
  for (const name of names) {
    t.equal(served(app, 'GET', `/${name}`), 'not-found', name)
    t.equal(served(app, 'GET', `/s/${name}/1`), 'not-found', name)
    t.same(paramsOf(app, 'GET', `/a/${name}`), { x: name })
    t.equal(served(app, name, '/s'), 'method-not-allowed', `as a method: ${name}`)
    t.equal(served(app, name, '/a/1'), 'method-not-allowed', `as a method: ${name}`)
    const own = createRouter().get(`/${name}`, unused).get(`/${name}/:x`, unused)
    t.equal(served(own, 'GET', `/${name}`), `/${name}`)
    t.equal(served(own, 'GET', `/${name}/1`), `/${name}/:x`)
  }
  for (const path of ['', '__proto__', 'constructor', 'a', '*', '?', 'http://x/']) {
    t.equal(served(app, 'GET', path), 'bad-path', JSON.stringify(path))
  }
})

t.test('params inherit nothing', async (t) => {
  const app = createRouter().get('/s', unused).get('/a/:x', unused)
  for (const path of ['/s', '/a/1', '/a/%41']) {
    const request = fakeRequest('GET', path)
    app.dispatch(request)
    const { params } = request
    for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__']) {
      t.equal(params[name], undefined, `${path} ${name}`)
      t.notOk(name in params)
    }
  }
  const odd = createRouter().get('/:constructor/:toString', unused)
  t.same(paramsOf(odd, 'GET', '/1/2'), { constructor: '1', toString: '2' })
})

t.test('what a handler does to params shows in no other request', async (t) => {
  const app = createRouter().get('/s', unused).get('/a/:x', unused)
  const names = ['__proto__', 'x', 'added']
  for (const path of ['/s', '/a/1']) {
    const request = fakeRequest('GET', path)
    app.dispatch(request)
    const params = request.params as Record<string, string>
    for (const name of names) {
      Reflect.set(params, name, 'changed')
      Reflect.set(Object.getPrototypeOf(params) ?? {}, name, 'changed')
    }
  }
  t.same(paramsOf(app, 'GET', '/s'), {})
  t.same(paramsOf(app, 'GET', '/a/2'), { x: '2' })
  const fresh = fakeRequest('GET', '/a/2')
  app.dispatch(fresh)
  t.equal(fresh.params['added'], undefined)
  t.equal(fresh.params[names[0] ?? ''], undefined)
})

t.test('long paths and many segments are answered', async (t) => {
  const app = createRouter().get('/a/:x', unused).get('/f/*path', unused).get('/s', unused)
  const long = 'x'.repeat(1 << 20)
  t.equal(paramsOf(app, 'GET', `/a/${long}`)['x'], long)
  t.equal(paramsOf(app, 'GET', `/f/${long}`)['path'], long)
  t.equal(served(app, 'GET', `/${long}`), 'not-found')
  const deep = '/x'.repeat(200_000)
  t.equal(served(app, 'GET', deep), 'not-found')
  t.equal(paramsOf(app, 'GET', `/f${deep}`)['path'], deep.slice(1))
  t.equal(served(app, 'GET', '/'.repeat(200_000)), 'not-found')
  t.equal(served(app, 'GET', `/f${'/.'.repeat(200_000)}`), 'bad-path')
  t.equal(served(app, 'GET', `/f${deep}/..`), 'bad-path')
  const encoded = '%41/'.repeat(50_000)
  t.equal(paramsOf(app, 'GET', `/f/${encoded}`)['path'], 'A/'.repeat(50_000))
  t.equal(served(app, 'GET', `/f/${encoded}%`), 'bad-path')
})

/** Every pattern of `depth` segments that are `a` or a parameter, then `end`. */
function allMixtures(depth: number): string[] {
  const patterns: string[] = []
  for (let bits = 0; bits < 2 ** depth; bits++) {
    let pattern = ''
    for (let i = 0; i < depth; i++) pattern += bits & (1 << i) ? `/:p${i}` : '/a'
    patterns.push(`${pattern}/end${bits}`)
  }
  return patterns
}

function millisecondsPerMiss(patterns: readonly string[], path: string): number {
  const app = createRouter()
  for (const pattern of patterns) app.get(pattern, unused)
  app.compile()
  t.equal(served(app, 'GET', path), 'not-found')
  const start = performance.now()
  for (let i = 0; i < 10; i++) app.dispatch(fakeRequest('GET', path))
  return (performance.now() - start) / 10
}

t.test('backtracking costs no more than the table is large', async (t) => {
  // Each level offers a static and a parameter branch, and nothing matches at the end: every node
  // is entered, which is the worst that a table can bring about.
  const worst = millisecondsPerMiss(allMixtures(10), `${'/a'.repeat(10)}/none`)
  t.ok(worst < 20, `1024 patterns: ${worst} ms a request`)

  // Few patterns, long path: 2 ** 100 ways, were they multiplied.
  const ladder: string[] = []
  for (let i = 0; i < 100; i++) {
    const segments = Array.from({ length: 100 }, (_, j) => (j === i ? `:p${j}` : 'a'))
    ladder.push(`/${segments.join('/')}/end`)
  }
  const long = millisecondsPerMiss(ladder, `${'/a'.repeat(100)}/none`)
  t.ok(long < 20, `100 patterns of 100 segments: ${long} ms a request`)
})

t.test('a long segment costs no node more than its label', async (t) => {
  // Two labels at each node, so that a segment is hashed before it is compared.
  const patterns = allMixtures(10).flatMap((pattern) => [`${pattern}/x`, `${pattern}x/:x`])
  const long = 'a'.repeat(1 << 20)
  const cost = millisecondsPerMiss(patterns, `${'/a'.repeat(10)}/${long}/x`)
  t.ok(cost < 40, `a segment of 1 MiB before 1024 nodes: ${cost} ms`)
})

t.test('random bytes never make the router throw', async (t) => {
  const app = createRouter()
    .get('/a/:x', unused)
    .get('/f/*path', unused)
    .get('/caf%C3%A9/:x', unused)
    .all('/a/b/:c/*d', unused)
  // A fixed seed: a failure must come back on the next run.
  let seed = 20_240_617
  const next = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    // The low bits of such a generator repeat soon.
    return (seed >>> 16) % below
  }
  const pieces = ['/', '/a', '/f', '%', '%2', '%2F', '%00', '..', '.', '%e9', 'é', '\0', '\ud800']
  const outcomes = new Set<string>()
  for (let i = 0; i < 20_000; i++) {
    let path = next(20) === 0 ? '' : '/'
    for (let n = next(8); n > 0; n--) path += pieces[next(pieces.length)]
    outcomes.add(app.find(next(2) === 0 ? 'GET' : 'PUT', path).outcome)
  }
  t.same([...outcomes].sort(), ['bad-path', 'method-not-allowed', 'not-found', 'route'])
})
