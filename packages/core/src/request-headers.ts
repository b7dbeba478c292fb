import { isFieldName, sliceTrimmed } from './field-syntax.ts'
import { RequestCookies } from './request-cookies.ts'

const COLON = 58

/**
 * The field lines of a request, read from the head as it was received. Nothing is parsed before
 * it is asked for, and nothing is kept but the head itself, which is one string.
 *
 * The head has passed the protocol's parser: every line is `name ":" OWS value OWS CRLF`, and no CR
 * stands anywhere else. Names are case-insensitive (RFC 9110 §5.1).
 */
export class RequestHeaders implements Iterable<[string, string]> {
  readonly #head: string
  readonly #start: number
  #cookies: RequestCookies | null = null

  /** @param start where the first field line begins in `head` */
  constructor(head: string, start: number) {
    this.#head = head
    this.#start = start
  }

  /**
   * The value of a field, or null where there is none. Repeated fields are joined by `, `
   * (RFC 9110 §5.3), `cookie` by `; ` (RFC 6265 §5.4).
   */
  get(name: string): string | null {
    const head = this.#head
    const { length } = name
    let found: string | null = null
    for (let position = this.#start; position < head.length; ) {
      // One search a line: the colon is looked at where it would be, and most lines have none there.
      const end = lineEnd(head, position)
      const colon = position + length
      if (head.charCodeAt(colon) === COLON && isFieldName(head, position, name)) {
        const value = sliceTrimmed(head, colon + 1, end)
        if (found === null) found = value
        else found += (name.toLowerCase() === 'cookie' ? '; ' : ', ') + value
      }
      position = end + 2
    }
    return found
  }

  /** What the Cookie field says (RFC 6265 §5.4). */
  get cookies(): RequestCookies {
    this.#cookies ??= new RequestCookies(this.get('cookie'))
    return this.#cookies
  }

  /** True when there is a field of that name, even an empty one. */
  has(name: string): boolean {
    return this.get(name) !== null
  }

  /** Each value of a repeated field by itself, in the order received. */
  getAll(name: string): string[] {
    const lower = name.toLowerCase()
    const values: string[] = []
    for (const [key, value] of this.raw()) if (key.toLowerCase() === lower) values.push(value)
    return values
  }

  /** The field lines as received: names in their own case, repeats kept. */
  *raw(): Generator<[string, string]> {
    const head = this.#head
    for (let position = this.#start; ; ) {
      const colon = head.indexOf(':', position)
      if (colon < 0) return
      const end = lineEnd(head, colon)
      yield [head.slice(position, colon), sliceTrimmed(head, colon + 1, end)]
      position = end + 2
    }
  }

  /** Names in lower case with their values, a pair a field line, in the order received. */
  *[Symbol.iterator](): Generator<[string, string]> {
    for (const [name, value] of this.raw()) yield [name.toLowerCase(), value]
  }
}

function lineEnd(head: string, from: number): number {
  const end = head.indexOf('\r', from)
  return end < 0 ? head.length : end
}
