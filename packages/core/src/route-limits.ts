import { HTTP_OPTIONS } from './http-options.ts'

/**
 * Limits of one route, each in place of the server's option of that name: lower or higher. One that
 * is left out, or outside of that option's bounds, is the server's.
 */
export interface RouteLimits {
  /** How large the body of a request may be, in bytes. */
  readonly maxBodyBytes?: number | undefined
  /** Milliseconds for a whole request with a body to arrive, from its first byte. */
  readonly requestTimeoutMs?: number | undefined
  /** Least average rate at which a request with a body must arrive; 0 turns the check off. */
  readonly minBytesPerSecond?: number | undefined
  /** Milliseconds that such a request may take before `minBytesPerSecond` is checked. */
  readonly minRateGraceMs?: number | undefined
  /**
   * False for a route that is served even while others are refused because the worker is slow or
   * has too many requests in hand: a health check. Default true.
   */
  readonly shed?: boolean | undefined
}

/**
 * Gives the limits of the route that would serve such a request, or undefined. What it returns for a
 * route is read once: give the same object each time, and do not change it.
 */
export type RouteLimitsLookup = (method: string, path: string) => RouteLimits | undefined

/** What holds for the body of one request. `HttpOptions` are those of the server. */
export interface BodyLimits {
  readonly maxBodyBytes: number
  readonly requestTimeoutMs: number
  readonly minBytesPerSecond: number
  readonly minRateGraceMs: number
}

/** Gives what holds for the body of such a request. Never throws. */
export type BodyLimitsLookup = (method: string, path: string) => BodyLimits

/** Limits that have to do with the body of a request. */
export const BODY_LIMITS = [
  'maxBodyBytes',
  'requestTimeoutMs',
  'minBytesPerSecond',
  'minRateGraceMs',
] as const

/** The limits of routes over those of the server. Whatever the application answers, there are some. */
export class RouteLimitsReader {
  readonly #ofRoute: RouteLimitsLookup
  readonly #ofServer: BodyLimits
  /** By what the application gave for the route, so that it is checked and joined once. */
  readonly #known: WeakMap<object, BodyLimits> = new WeakMap()

  constructor(ofRoute: RouteLimitsLookup, ofServer: BodyLimits) {
    this.#ofRoute = ofRoute
    this.#ofServer = ofServer
  }

  /** Never throws. */
  bodyLimits(method: string, path: string): BodyLimits {
    try {
      const limits: unknown = this.#ofRoute(method, path)
      if (typeof limits !== 'object' || limits === null) return this.#ofServer
      const known = this.#known.get(limits)
      if (known !== undefined) return known
      const joined = joinLimits(limits as RouteLimits, this.#ofServer)
      this.#known.set(limits, joined)
      return joined
    } catch {
      return this.#ofServer
    }
  }

  /** True for a request that is never shed. Never throws. */
  isExempt(method: string, path: string): boolean {
    try {
      return this.#ofRoute(method, path)?.shed === false
    } catch {
      return false
    }
  }
}

function joinLimits(ofRoute: RouteLimits, ofServer: BodyLimits): BodyLimits {
  const joined = {} as Record<keyof BodyLimits, number>
  for (const name of BODY_LIMITS) {
    const value: unknown = ofRoute[name]
    const { minimum, maximum } = HTTP_OPTIONS[name]
    const isValid = Number.isSafeInteger(value) && isBetween(value as number, minimum, maximum)
    joined[name] = isValid ? (value as number) : ofServer[name]
  }
  return joined
}

function isBetween(value: number, minimum: number, maximum: number): boolean {
  return value >= minimum && value <= maximum
}
