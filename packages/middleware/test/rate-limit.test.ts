import { HttpError, type HttpRequest, type HttpResponse, type Middleware, text } from '@rr/core'
import { listen, type ServerEvent, serve } from '@rr/listener'
import t, { type Test } from 'tap'
import { type RateLimitOptions, rateLimit } from '../src/rate-limit.ts'

const HOUR_MS = 3_600_000
let names = 0

/** A server with one limiter of its own, and what asks it. */
async function start(
  t: Test,
  options: RateLimitOptions,
  answer: () => HttpResponse = () => text('passed'),
  inner: Middleware | null = null,
): Promise<(path?: string, headers?: Record<string, string>) => Promise<Response>> {
  names++
  const limiter = rateLimit({ name: `test-${names}`, ...options })
  const handler = (request: HttpRequest): unknown => {
    const innermost = async (): Promise<HttpResponse> => answer()
    if (inner === null) return limiter(request, innermost)
    return limiter(request, async () => (await inner(request, innermost)) as HttpResponse)
  }
  const server = await listen(handler, { host: '127.0.0.1', port: 0, onError: () => {} })
  t.teardown(() => server.stop())
  return (path = '/', headers = {}) => fetch(server.url + path, { headers })
}

t.test('limit - 1, limit and limit + 1 requests', async (t) => {
  const ask = await start(t, { limit: 3, windowMs: HOUR_MS })
  for (const remaining of [2, 1, 0]) {
    const response = await ask()
    t.equal(response.status, 200)
    t.equal(response.headers.get('ratelimit'), `"test-${names}";r=${remaining};t=1200`)
  }
  t.equal((await ask()).status, 429)
})

t.test(
  'clients behind a trusted proxy are limited apart, and cannot choose who they are',
  async (t) => {
    const ask = async (options: object): Promise<(nodes: string) => Promise<number>> => {
      names++
      const limiter = rateLimit({ name: `test-${names}`, limit: 1, windowMs: HOUR_MS })
      const handler = (request: HttpRequest): unknown =>
        limiter(request, async () => text('passed'))
      const server = await listen(handler, { host: '127.0.0.1', port: 0, ...options })
      t.teardown(() => server.stop())
      return async (nodes) =>
        (await fetch(server.url, { headers: { 'x-forwarded-for': nodes } })).status
    }
    const behind = await ask({ trustedProxies: ['loopback'], forwardedHeaders: 'x-forwarded' })
    t.equal(await behind('192.0.2.1'), 200)
    t.equal(await behind('192.0.2.2'), 200)
    t.equal(await behind('203.0.113.5, 192.0.2.1'), 429, 'what the client sent does not count')
    const direct = await ask({})
    t.equal(await direct('192.0.2.1'), 200)
    t.equal(await direct('192.0.2.2'), 429, 'nobody is trusted unless asked for')
  },
)

t.test('a refusal is a 429 problem (RFC 6585 §4, RFC 9457) with Retry-After', async (t) => {
  const ask = await start(t, { name: 'per hour', limit: 2, windowMs: HOUR_MS })
  await ask()
  await ask()
  const response = await ask()
  t.equal(response.status, 429)
  t.equal(response.headers.get('content-type'), 'application/problem+json')
  t.equal(response.headers.get('retry-after'), '1800')
  t.equal(response.headers.get('ratelimit'), '"per hour";r=0;t=1800')
  t.equal(response.headers.get('ratelimit-policy'), '"per hour";q=2;w=3600')
  t.same(await response.json(), {
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Too Many Requests',
    status: 429,
    'violated-policies': ['per hour'],
  })
})

t.test('answers to errors tell of the limit too', async (t) => {
  const ask = await start(t, { limit: 2, windowMs: HOUR_MS }, () => {
    throw new HttpError(404, 'none')
  })
  const response = await ask()
  t.equal(response.status, 404)
  t.equal(response.headers.get('ratelimit'), `"test-${names}";r=1;t=1800`)
  t.equal(response.headers.get('ratelimit-policy'), `"test-${names}";q=2;w=3600`)
})

t.test('RateLimit-Policy (draft-11 §3) has the window in whole seconds, or none', async (t) => {
  const whole = await start(t, { name: 'whole', limit: 10, windowMs: 2000 })
  t.equal((await whole()).headers.get('ratelimit-policy'), '"whole";q=10;w=2')
  const part = await start(t, { name: 'part', limit: 10, windowMs: 1500 })
  t.equal((await part()).headers.get('ratelimit-policy'), '"part";q=10')
})

t.test('limiters within each other list both policies', async (t) => {
  const inner = rateLimit({ name: 'inner', limit: 1, windowMs: HOUR_MS })
  const ask = await start(t, { name: 'outer', limit: 5, windowMs: HOUR_MS }, undefined, inner)
  const passed = await ask()
  t.equal(passed.headers.get('ratelimit-policy'), '"outer";q=5;w=3600, "inner";q=1;w=3600')
  t.equal(passed.headers.get('ratelimit'), '"outer";r=4;t=720, "inner";r=0;t=3600')
  const refused = await ask()
  t.equal(refused.status, 429)
  t.equal(refused.headers.get('ratelimit'), '"outer";r=3;t=720, "inner";r=0;t=3600')
})

t.test('a key tells clients apart; skip lets through uncounted', async (t) => {
  const ask = await start(t, {
    limit: 1,
    windowMs: HOUR_MS,
    key: (request) => request.headers.get('x-key') ?? '',
    skip: (request) => request.path === '/health',
  })
  t.equal((await ask('/', { 'x-key': 'a' })).status, 200)
  t.equal((await ask('/', { 'x-key': 'a' })).status, 429)
  t.equal((await ask('/', { 'x-key': 'b' })).status, 200)
  const skipped = await ask('/health', { 'x-key': 'a' })
  t.equal(skipped.status, 200)
  t.equal(skipped.headers.get('ratelimit'), null)
})

t.test('a cost takes several; one over the burst is refused without Retry-After', async (t) => {
  const cost = (request: HttpRequest): number => Number(request.query.get('cost'))
  const ask = await start(t, { limit: 5, windowMs: HOUR_MS, cost })
  t.equal((await ask('/?cost=3')).status, 200)
  const refused = await ask('/?cost=3')
  t.equal(refused.status, 429)
  t.equal(refused.headers.get('retry-after'), '720')
  t.equal((await ask('/?cost=2')).status, 200)
  t.equal((await ask('/?cost=0')).status, 200)
  const never = await ask('/?cost=6')
  t.equal(never.status, 429)
  t.equal(never.headers.get('retry-after'), null)
  t.equal((await ask('/?cost=-1')).status, 500)
  t.equal((await ask('/?cost=0.5')).status, 500)
})

t.test('a burst of its own', async (t) => {
  const ask = await start(t, { limit: 60, windowMs: HOUR_MS, burst: 2 })
  t.equal((await ask()).headers.get('ratelimit'), `"test-${names}";r=1;t=60`)
  t.equal((await ask()).status, 200)
  const refused = await ask()
  t.equal(refused.status, 429)
  t.equal(refused.headers.get('retry-after'), '60')
})

t.test('limiters of one name and equal numbers are one', async (t) => {
  const options = { name: 'shared', limit: 2, windowMs: HOUR_MS }
  const [one, two] = [await start(t, options), await start(t, options)]
  const other = await start(t, { ...options, limit: 3 })
  t.equal((await one()).status, 200)
  t.equal((await two()).status, 200)
  t.equal((await one()).status, 429)
  t.equal((await other()).status, 200)
})

t.test('options are checked when the limiter is made', async (t) => {
  const refused: unknown[] = [
    { limit: 0 },
    { windowMs: 0 },
    { burst: 0 },
    { maxClients: 0 },
    { maxClients: 8_388_609 },
    { ipv6PrefixBits: 15 },
    { ipv6PrefixBits: 129 },
    { name: '' },
    { name: 'a"b' },
    { name: 'line\r\nbreak' },
    { name: 'x'.repeat(65) },
    { key: 'address' },
    { skip: true },
    { cost: -1 },
    { cost: '1' },
    { limit: 56_000, windowMs: 1000 },
  ]
  for (const options of refused) {
    const make = (): unknown => rateLimit(options as RateLimitOptions)
    t.throws(make, { code: 'RR_OPTION_INVALID' }, JSON.stringify(options))
  }
  t.throws(() => rateLimit({ max: 1 } as object), { code: 'RR_OPTION_UNKNOWN' })
  rateLimit({ name: 'x'.repeat(64), limit: 50_000, windowMs: 1000, maxClients: 1 })
})

/** Of so many requests at once, each on a connection of its own, how many passed. */
async function passing(url: string, requests: number): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: requests }, async () => {
      const response = await fetch(url, { headers: { connection: 'close' } })
      await response.text()
      return response.status
    }),
  )
  t.ok(answers.every((status) => status === 200 || status === 429))
  return answers.filter((status) => status === 200).length
}

t.test('four workers let through exactly the limit, also after one was replaced', async (t) => {
  const events: ServerEvent[] = []
  const server = await serve(new URL('./fixtures/limited.ts', import.meta.url), {
    host: '127.0.0.1',
    port: 0,
    workers: 4,
    onEvent: (event) => events.push(event),
  })
  t.teardown(() => server.stop())
  t.equal(await passing(`${server.url}/address`, 250), 100)
  const keys = ['a', 'b', 'c'].map((key) => passing(`${server.url}/keyed?key=${key}`, 50))
  t.same(await Promise.all(keys), [30, 30, 30])
  t.ok(server.info().workers.filter(({ requests }) => requests > 0).length > 1, 'by several')
  const listening = (): number => events.filter(({ type }) => type === 'worker-listening').length
  await fetch(`${server.url}/crash`, { headers: { connection: 'close' } })
  while (listening() < 5) await new Promise((resolve) => setTimeout(resolve, 5))
  t.equal(await passing(`${server.url}/address`, 50), 0, 'a new worker knows what was used')
})
