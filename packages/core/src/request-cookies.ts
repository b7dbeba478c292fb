import { isToken } from './field-syntax.ts'

/**
 * The cookies of a request (RFC 6265 §5.4), parsed when first asked for. Clients send the cookie
 * with the longest path first, and of those the oldest: of two with one name the first is the more
 * specific, so `get` gives that one.
 *
 * Values are percent-decoded, as `cookie()` encodes them; quotes around a value are dropped. What is
 * no `name=value`, and a value whose percent-encoding is broken or not UTF-8, is passed over: other
 * applications on the same host set cookies too. How many there are is bounded by the limits on
 * header lines.
 *
 * @example
 * const session = request.cookies.get('__Host-session')
 */
export class RequestCookies implements Iterable<[name: string, value: string]> {
  readonly #pairs: readonly (readonly [string, string])[]
  readonly #byName: Map<string, string[]> = new Map()

  /** @param header the Cookie field's value, repeated fields joined by `; `, or null */
  constructor(header: string | null) {
    const pairs: [string, string][] = []
    for (const part of header === null ? [] : header.split(';')) {
      const pair = readPair(part)
      if (pair === null) continue
      pairs.push(pair)
      const [name, value] = pair
      const values = this.#byName.get(name)
      if (values === undefined) this.#byName.set(name, [value])
      else values.push(value)
    }
    this.#pairs = pairs
  }

  /** How many there are, repeats counted. */
  get size(): number {
    return this.#pairs.length
  }

  /** The value of the first cookie of that name, or null. Names are case-sensitive. */
  get(name: string): string | null {
    return this.#byName.get(name)?.[0] ?? null
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  /** The values of all cookies of that name, in the order received. */
  getAll(name: string): string[] {
    return [...(this.#byName.get(name) ?? [])]
  }

  /** Names and values in the order received, repeats kept. */
  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    for (const [name, value] of this.#pairs) yield [name, value]
  }
}

function readPair(part: string): [string, string] | null {
  const equals = part.indexOf('=')
  if (equals < 0) return null
  const name = part.slice(0, equals).trim()
  if (!isToken(name)) return null
  let value = part.slice(equals + 1).trim()
  if (value.length > 1 && value.startsWith('"') && value.endsWith('"')) value = value.slice(1, -1)
  if (!value.includes('%')) return [name, value]
  try {
    return [name, decodeURIComponent(value)]
  } catch {
    return null
  }
}
