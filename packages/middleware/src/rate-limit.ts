import {
  clientKey,
  type HeaderBlock,
  type HttpRequest,
  type HttpResponse,
  type Middleware,
  type OptionsInput,
  problem,
  RrError,
  resolveOptions,
  sharedMemory,
} from '@rr/core'
import { changeAnswer, changeFields, fieldValue } from './header-changes.ts'
import { checkFunction } from './option-checks.ts'
import {
  type BucketAnswer,
  type BucketOptions,
  bytesForClients,
  TokenBuckets,
  ticksPerToken,
} from './token-buckets.ts'

/** The options of `rateLimit` that are numbers and names. */
export const RATE_LIMIT_OPTIONS = {
  limit: {
    type: 'integer',
    default: 100,
    minimum: 1,
    maximum: 1_000_000_000,
    doc: 'Requests that a client may make in each `windowMs`, in the long run.',
  },
  windowMs: {
    type: 'integer',
    default: 60_000,
    minimum: 1,
    maximum: 2_678_400_000,
    doc: 'Time in which `limit` requests come back, evenly spread; at most 31 days.',
  },
  burst: {
    type: 'integer-or-auto',
    default: 'auto',
    minimum: 1,
    maximum: 1_000_000_000,
    doc: "Requests that a client which has been quiet may make at once; 'auto' is `limit`.",
  },
  maxClients: {
    type: 'integer',
    default: 65_536,
    minimum: 1,
    maximum: 8_388_608,
    doc: 'Clients that are told apart at a time; 16 bytes of memory for each, of the whole process.',
  },
  ipv6PrefixBits: {
    type: 'integer',
    default: 64,
    minimum: 16,
    maximum: 128,
    doc: 'How much of an IPv6 address tells a client from another.',
  },
  name: {
    type: 'string',
    default: 'default',
    doc: 'Names the policy in the answers, and the limit in the process.',
  },
} as const

/** What `rateLimit` takes. */
export interface RateLimitOptions extends OptionsInput<typeof RATE_LIMIT_OPTIONS> {
  /** Who is limited; default the address of the client (`request.client`). Requests with equal keys count together. */
  readonly key?: ((request: HttpRequest) => string) | undefined
  /**
   * What a request costs, a whole number from 0; default 1. One that costs more than `burst` is
   * refused for good, without Retry-After.
   */
  readonly cost?: number | ((request: HttpRequest) => number) | undefined
  /** True for requests that are neither counted nor refused. */
  readonly skip?: ((request: HttpRequest) => boolean) | undefined
}

/** Name of the problem, as draft-ietf-httpapi-ratelimit-headers-11 §5 asks IANA to register it. */
const QUOTA_EXCEEDED = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

/**
 * Limits the requests of each client, exactly, over all workers: a token bucket in memory that the
 * workers share. A bucket holds `burst` tokens and gets `limit` in each `windowMs`, evenly; a request
 * takes one, or `cost`. Without enough of them it is answered 429 (RFC 6585 §4) as problem+json with
 * Retry-After. All answers, those to errors too, carry `RateLimit` and `RateLimit-Policy`
 * (draft-ietf-httpapi-ratelimit-headers-11), whose `t` is the seconds until one more token is there.
 *
 * Limiters of one name and equal numbers are one limit, wherever they are: give each its own `name`
 * where they should count apart. Make them while the application loads.
 *
 * The table is bounded. A client that is not in it takes the place of the one whose bucket has been
 * full for longest; where none is full, of the fullest, whose bucket it goes on with. So nobody ever
 * gets more than the limit by having others push him out. Who commands so many addresses that each
 * of some `maxClients` buckets is kept empty, which takes `maxClients` times the limit, can make new
 * clients be refused; those cannot be told from his. Where a bucket lies depends on a random key, so
 * nobody can aim at one. A client that comes in shares a bucket with another one at a chance of one in
 * 130,000 at most.
 *
 * Behind a proxy the client is known by the server's options `trustedProxies` and
 * `forwardedHeaders`, or by the PROXY protocol; without them every client has the proxy's address.
 *
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID; RR_SHARED_MEMORY
 *
 * @example
 * const perAddress = rateLimit({ limit: 600, windowMs: 60_000, burst: 50 })
 * const key = (request: HttpRequest) => request.headers.get('authorization') ?? ''
 * const perToken = rateLimit({ name: 'token', limit: 10, windowMs: 1000, key })
 * export default composeMiddleware([perAddress, perToken], handler)
 */
export function rateLimit(options: RateLimitOptions = {}): Middleware {
  const { key, cost = 1, skip, ...numbers } = options
  checkFunctions(options)
  const { name, maxClients, ipv6PrefixBits, rate } = resolve(numbers)
  const { limit, windowMs, burst } = rate
  // With its numbers in its name, a table is never shared by limiters that count differently.
  const table = `@rr/middleware rate limit ${name} ${limit} ${windowMs} ${burst} ${maxClients}`
  const buckets = new TokenBuckets(sharedMemory(table, bytesForClients(maxClients)), rate)
  const keyOf = key ?? ((request: HttpRequest) => clientKey(request.client, ipv6PrefixBits))
  const policy = { name, burst, field: policyField(name, rate) }
  return (request, next) => {
    if (skip?.(request) === true) return next()
    const tokens = typeof cost === 'number' ? cost : checkCost(cost(request))
    const answer = buckets.take(checkKey(keyOf(request)), tokens)
    if (!answer.isAllowed) return refusal(policy, answer, tokens)
    const state = stateField(policy, answer)
    return changeAnswer(request, next, (headers) => withFields(headers, policy, state))
  }
}

interface Policy {
  /** As an RFC 9651 String, without its quotes. */
  readonly name: string
  readonly burst: number
  /** The value of RateLimit-Policy. */
  readonly field: string
}

type Rate = Required<Omit<BucketOptions, 'nowNs'>>

interface Resolved {
  readonly name: string
  readonly maxClients: number
  readonly ipv6PrefixBits: number
  readonly rate: Rate
}

function resolve(input: OptionsInput<typeof RATE_LIMIT_OPTIONS>): Resolved {
  const resolved = resolveOptions(RATE_LIMIT_OPTIONS, input, 'rateLimit()')
  const { name, maxClients, ipv6PrefixBits, limit, windowMs } = resolved
  // Printable ASCII is what a String can hold (RFC 9651 §3.3.3); these two would need an escape.
  if (!/^[ !#-[\]-~]{1,64}$/.test(name)) {
    throw invalid('name has 1 to 64 printable ASCII characters, without quotes and backslashes')
  }
  const rate = { limit, windowMs, burst: resolved.burst === 'auto' ? limit : resolved.burst }
  if (ticksPerToken(rate) < 1) {
    throw invalid('limit for this windowMs is over 50,000 requests a second, or burst too high')
  }
  return { name, maxClients, ipv6PrefixBits, rate }
}

function checkFunctions({ key, cost, skip }: RateLimitOptions): void {
  checkFunction('rateLimit()', 'key', key)
  checkFunction('rateLimit()', 'skip', skip)
  if (typeof cost !== 'function' && cost !== undefined) checkCost(cost)
}

function checkCost(cost: number): number {
  if (Number.isInteger(cost) && cost >= 0) return cost
  throw invalid(`a cost is a whole number from 0, not ${String(cost)}`)
}

function checkKey(key: string): string {
  if (typeof key === 'string') return key
  throw invalid(`key gives a string, not ${typeof key}`)
}

function invalid(reason: string): RrError {
  return new RrError('RR_OPTION_INVALID', `rateLimit(): ${reason}`)
}

/** `w` has whole seconds only (§3.1.3 of the draft), and may be left out. */
function policyField(name: string, { limit, windowMs }: Rate): string {
  const window = windowMs % 1000 === 0 ? `;w=${windowMs / 1000}` : ''
  return `"${name}";q=${limit}${window}`
}

function stateField({ name }: Policy, { remaining, nextTokenMs }: BucketAnswer): string {
  const next = nextTokenMs === 0 ? '' : `;t=${Math.ceil(nextTokenMs / 1000)}`
  return `"${name}";r=${remaining}${next}`
}

function refusal(policy: Policy, answer: BucketAnswer, tokens: number): HttpResponse {
  const details = { type: QUOTA_EXCEEDED, 'violated-policies': [policy.name] }
  const headers = { 'ratelimit-policy': policy.field, ratelimit: stateField(policy, answer) }
  // No time would be long enough.
  if (tokens > policy.burst) return problem(429, details, { headers })
  const retryAfter = String(Math.max(1, Math.ceil(answer.waitMs / 1000)))
  return problem(429, details, { headers: { ...headers, 'retry-after': retryAfter } })
}

/** Both fields are lists (§3 and §4 of the draft): what a limiter further in said stays. */
function withFields(headers: HeaderBlock | null, policy: Policy, state: string): HeaderBlock {
  const innerPolicy = fieldValue(headers, 'ratelimit-policy')
  const innerState = fieldValue(headers, 'ratelimit')
  return changeFields(headers, {
    'ratelimit-policy': innerPolicy === null ? policy.field : `${policy.field}, ${innerPolicy}`,
    ratelimit: innerState === null ? state : `${state}, ${innerState}`,
  })
}
