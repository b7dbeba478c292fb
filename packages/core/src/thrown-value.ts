import { inspect } from 'node:util'

/** Whatever was thrown as an Error: JavaScript can throw anything, also what no string can show. */
export function toError(thrown: unknown): Error {
  try {
    return thrown instanceof Error ? thrown : new Error(`thrown: ${inspect(thrown)}`)
  } catch (cause) {
    // A Proxy can make any look at it throw.
    return new Error('thrown: a value that cannot be looked at', { cause })
  }
}
