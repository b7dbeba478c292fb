import { quiet } from './body-source.ts'
import { RrError } from './errors.ts'
import type { HttpRequest } from './request.ts'

/**
 * A standard `Request` that is made only when it must be. Making a real one costs more than all
 * the rest of a request; most applications read only its method, URL and headers, and those are
 * answered from the request as it came in. Anything else makes the real one and asks it.
 *
 * `instanceof Request` holds. What needs a real one inside, `new Request(request)` and
 * `fetch(request)`, is taught to accept it: see `acceptLazyRequests`.
 */
class LazyRequest {
  readonly #request: HttpRequest
  #headers: Headers | null = null
  #url: string | null = null
  #real: Request | null = null

  constructor(request: HttpRequest) {
    this.#request = request
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    this.#url ??= urlOf(this.#request)
    return this.#url
  }

  get headers(): Headers {
    if (this.#real !== null) return this.#real.headers
    this.#headers ??= new Headers([...this.#request.headers])
    return this.#headers
  }

  get signal(): AbortSignal {
    return this.#request.signal
  }

  clone(): Request {
    const copy = LazyRequest.realOf(this).clone()
    sources.set(copy, this.#request)
    return copy
  }

  // `in`, so that a request of another copy of this module is not mistaken for one of ours.
  static isLazy(value: unknown): value is LazyRequest {
    return typeof value === 'object' && value !== null && #request in value
  }

  static realOf(lazy: LazyRequest): Request {
    lazy.#real ??= makeRequest(lazy.#request, lazy.url, lazy.headers)
    return lazy.#real
  }

  static sourceOf(lazy: LazyRequest): HttpRequest {
    return lazy.#request
  }
}

/** What is behind the requests that were made from ours. */
const sources = new WeakMap<object, HttpRequest>()

const BODY_READERS: ReadonlySet<string> = new Set([
  'arrayBuffer',
  'blob',
  'bytes',
  'formData',
  'json',
  'text',
])

/**
 * Reads the body by one of the methods above. Never throws, as the standard has it; and `quiet`,
 * because nothing that a client sends may end the worker.
 */
function readBody(lazy: LazyRequest, name: string): Promise<unknown> {
  try {
    const real = LazyRequest.realOf(lazy)
    return quiet(Reflect.apply(Reflect.get(real, name), real, []) as Promise<unknown>)
  } catch (error) {
    return quiet(Promise.reject(error))
  }
}

/** Everything a Request has beyond what is answered above is asked of the real one. */
for (const name of Object.getOwnPropertyNames(Request.prototype)) {
  if (Object.hasOwn(LazyRequest.prototype, name)) continue
  const isMethod =
    typeof Object.getOwnPropertyDescriptor(Request.prototype, name)?.value === 'function'
  Object.defineProperty(
    LazyRequest.prototype,
    name,
    isMethod
      ? {
          value(this: LazyRequest, ...parameters: unknown[]): unknown {
            if (BODY_READERS.has(name)) return readBody(this, name)
            const real = LazyRequest.realOf(this)
            return Reflect.apply(Reflect.get(real, name), real, parameters)
          },
          configurable: true,
          writable: true,
        }
      : {
          get(this: LazyRequest): unknown {
            return Reflect.get(LazyRequest.realOf(this), name)
          },
          configurable: true,
        },
  )
}
Object.setPrototypeOf(LazyRequest.prototype, Request.prototype)

/** The request as web-standard applications take it. */
export function toWebRequest(request: HttpRequest): Request {
  acceptLazyRequests()
  return new LazyRequest(request) as unknown as Request
}

/**
 * The rr request behind a standard one: for the client's address, TLS facts and the like. Also behind
 * a `clone()` of one, and a `new Request(one, ...)` as frameworks make it for what they mount.
 *
 * @returns null for a Request that rr did not make
 * @example
 * app.get('/ip', (c) => c.text(sourceRequest(c.req.raw)?.peer.address ?? 'unknown')) // Hono
 */
export function sourceRequest(request: Request): HttpRequest | null {
  return LazyRequest.isLazy(request)
    ? LazyRequest.sourceOf(request)
    : (sources.get(request) ?? null)
}

function urlOf(request: HttpRequest): string {
  const { scheme } = request
  const host = request.host || localAuthority(request)
  if (request.path === '*') return `${scheme}://${host}/*`
  const query = request.queryString === '' ? '' : `?${request.queryString}`
  try {
    // What URL makes of it is what `new Request` would say: dot segments resolved, host in lower case.
    return new URL(`${scheme}://${host}${request.path}${query}`).href
  } catch (cause) {
    // RFC 3986 allows hosts that URL refuses, such as 1.2.3.256: the client's fault, not a 500.
    throw new RrError('RR_REQUEST_MALFORMED', 'the host cannot be that of a URL', { cause })
  }
}

function localAuthority(request: HttpRequest): string {
  const { address, port, family } = request.local
  if (family === 'unix') return 'localhost'
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

function makeRequest(request: HttpRequest, url: string, headers: Headers): Request {
  const hasBody = request.hasBody && request.method !== 'GET' && request.method !== 'HEAD'
  return new NativeRequest(url, {
    method: request.method,
    headers,
    signal: request.signal,
    ...(hasBody ? { body: request.stream, duplex: 'half' } : {}),
  } as RequestInit)
}

const NativeRequest = globalThis.Request
let isAccepted = false

/**
 * Lets `new Request(lazy, init)` and `fetch(lazy, init)` work in this thread: both look into
 * private parts that only a real Request has. Done when the first one is made.
 */
function acceptLazyRequests(): void {
  if (isAccepted) return
  isAccepted = true
  const nativeFetch = globalThis.fetch
  globalThis.Request = new Proxy(NativeRequest, {
    construct: (target, [input, init], newTarget) => {
      const parameters = init === undefined ? [real(input)] : [real(input), init]
      const made: object = Reflect.construct(target, parameters, newTarget)
      // Hono hands on what it mounts as `new Request(url, request)`.
      const source = sourceRequest(input) ?? sourceRequest(init)
      if (source !== null) sources.set(made, source)
      return made
    },
  })
  globalThis.fetch = (input, init) => nativeFetch(real(input) as Request, init)
}

function real(input: unknown): unknown {
  return LazyRequest.isLazy(input) ? LazyRequest.realOf(input) : input
}
