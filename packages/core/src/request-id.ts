import { randomBytes } from 'node:crypto'

/**
 * Request identifiers: a random prefix for the thread and a counter in base 36. Unique over the
 * threads of a process and, with 48 random bits, over processes for practical purposes; not secret.
 */
const prefix = randomBytes(6).toString('base64url')
let counter = 0

export function nextRequestId(): string {
  counter++
  return `${prefix}-${counter.toString(36)}`
}
