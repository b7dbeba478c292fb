import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createRouter, type RouteLookup } from '../src/index.ts'
import { unused } from './support/requests.ts'

/**
 * The rules of matching once more, in the plainest way: try every pattern, sort what matches, decode
 * with the platform's own function. The tree must agree with it on random tables and paths.
 */

interface Route {
  readonly method: string
  readonly pattern: string
}

interface Candidate {
  readonly route: Route
  readonly rank: string
  readonly params: Record<string, string>
}

function decodeSegments(path: string): string[] | null {
  try {
    return path.slice(1).split('/').map(decodeURIComponent)
  } catch {
    return null
  }
}

const isDot = (segment: string) => segment === '.' || segment === '..'

/** 0 for static, 1 for a parameter, 2 for a wildcard, for each segment; null without a match. */
function tryPattern(route: Route, segments: readonly string[]): Candidate | null {
  const params: Record<string, string> = {}
  const parts = route.pattern.slice(1).split('/')
  let rank = ''
  for (const [i, part] of parts.entries()) {
    const segment = segments[i]
    if (segment === undefined) return null
    if (part.startsWith('*')) {
      params[part.slice(1)] = segments.slice(i).join('/')
      return { route, rank: `${rank}2`, params }
    }
    if (part.startsWith(':')) {
      if (segment === '') return null
      params[part.slice(1)] = segment
      rank += '1'
    } else {
      if (decodeURIComponent(part) !== segment) return null
      rank += '0'
    }
  }
  return parts.length === segments.length ? { route, rank, params } : null
}

function reference(routes: readonly Route[], method: string, path: string): unknown {
  const segments = decodeSegments(path)
  if (segments === null || segments.some(isDot)) return 'bad-path'
  const candidates = routes
    .map((route) => tryPattern(route, segments))
    .filter((candidate) => candidate !== null)
  // Of one pattern's routes the method's own comes first, then GET's for HEAD, then `all`.
  const wanted = method === 'HEAD' ? ['HEAD', 'GET', '*'] : [method, '*']
  const [best] = candidates
    .filter(({ route }) => wanted.includes(route.method))
    .map((candidate) => ({ ...candidate, order: wanted.indexOf(candidate.route.method) }))
    .sort((a, b) => (a.rank === b.rank ? a.order - b.order : a.rank < b.rank ? -1 : 1))
  if (best !== undefined) {
    const rest = best.rank.endsWith('2') ? Object.values(best.params).at(-1) : undefined
    if (rest?.split('/').some(isDot)) return 'bad-path'
    return { route: best.route, params: best.params }
  }
  if (candidates.length === 0) return 'not-found'
  const methods = new Set(candidates.map(({ route }) => route.method))
  if (methods.has('GET')) methods.add('HEAD')
  methods.add('OPTIONS')
  return { outcome: method === 'OPTIONS' ? 'options' : 'method-not-allowed', allow: methods }
}

/** A lookup in the reference's terms. */
function summary(lookup: RouteLookup): unknown {
  if (lookup.outcome === 'route') {
    const { method, pattern } = lookup.route
    return { route: { method, pattern }, params: { ...lookup.params } }
  }
  if ('allow' in lookup) {
    return { outcome: lookup.outcome, allow: new Set(lookup.allow.split(', ')) }
  }
  return lookup.outcome
}

/** Patterns over few segments, so that they overlap; the names tell the positions and the pattern. */
const pattern = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', 'é', '%2F', ':'), { maxLength: 4 }),
    fc.constantFrom('', '*', '/', 'a', 'b', ':'),
    fc.integer({ min: 0, max: 1 }),
  )
  .map(([middle, last, variant]) => {
    const segments = last === '/' ? [...middle, ''] : last === '' ? middle : [...middle, last]
    const named = segments.map((segment, i) =>
      segment === ':' || segment === '*' ? `${segment}p${i}v${variant}` : segment,
    )
    return `/${named.join('/')}`
  })
  .filter((text) => !text.includes('//'))

const shape = (text: string) => text.replace(/([:*])[^/]*/g, '$1')

const table = fc.uniqueArray(
  fc.record(
    { method: fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS', '*'), pattern },
    { noNullPrototype: true },
  ),
  { maxLength: 12, selector: (route) => `${route.method} ${shape(route.pattern)}` },
)

const path = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'b', '%C3%A9') },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          '',
          'c',
          '%61',
          '%c3%a9',
          '%2f',
          '%2Fa',
          'a%2F..',
          '%2e%2E',
          '%',
        ),
      },
    ),
    { maxLength: 6 },
  )
  .map((segments) => `/${segments.join('/')}`)

const method = fc.constantFrom('GET', 'HEAD', 'POST', 'OPTIONS', 'PUT')

function build(routes: readonly Route[]): (method: string, path: string) => unknown {
  const app = createRouter()
  for (const route of routes) {
    if (route.method === '*') app.all(route.pattern, unused)
    else app.on(route.method, route.pattern, unused)
  }
  return (method, path) => summary(app.find(method, path))
}

const requests = fc.array(fc.tuple(method, path), { minLength: 1, maxLength: 20 })

t.test('the tree agrees with a matcher that tries every pattern', async (t) => {
  let routed = 0
  fc.assert(
    fc.property(table, requests, (routes, requests) => {
      const find = build(routes)
      for (const [method, path] of requests) {
        const found = find(method, path)
        const expected = reference(routes, method, path)
        if (typeof expected === 'object') routed++
        assert.deepEqual(found, expected)
      }
    }),
    { numRuns: 1000 },
  )
  t.ok(routed > 100, `${routed} requests met a pattern`)
})

t.test('the order of registration changes nothing', async () => {
  const permuted = table.chain((routes) =>
    fc.tuple(
      fc.constant(routes),
      fc.shuffledSubarray(routes, { minLength: routes.length, maxLength: routes.length }),
    ),
  )
  fc.assert(
    fc.property(permuted, requests, ([routes, shuffled], requests) => {
      const one = build(routes)
      const two = build(shuffled)
      for (const [method, path] of requests) {
        assert.deepEqual(one(method, path), two(method, path))
      }
    }),
    { numRuns: 1000 },
  )
})
