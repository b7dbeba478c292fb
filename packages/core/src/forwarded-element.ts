/** `token=` and then a token or a quoted string (RFC 7239 §4, RFC 9110 §5.6.2, §5.6.4). */
const PAIR =
  /([!#$%&'*+\-.^_`|~\dA-Za-z]+)=(?:([!#$%&'*+\-.^_`|~\dA-Za-z]+)|"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)")/y

/** Longer than any proxy's, and short enough for a regular expression. */
const MAX_ELEMENT_LENGTH = 4096

/**
 * One element of Forwarded: `forwarded-pair *( ";" forwarded-pair )`, strictly as RFC 7239 §4 has it.
 *
 * @returns the values by name in lower case, or null when it is malformed or repeats a name
 */
export function parseForwardedElement(text: string): ReadonlyMap<string, string> | null {
  if (text.length > MAX_ELEMENT_LENGTH) return null
  const pairs = new Map<string, string>()
  for (let position = 0; position < text.length; ) {
    // A pair may be missing, between two semicolons or at either end.
    if (text.charCodeAt(position) !== 0x3b) {
      PAIR.lastIndex = position
      const match = PAIR.exec(text)
      if (match === null) return null
      const name = match[1]!.toLowerCase()
      if (pairs.has(name)) return null
      pairs.set(name, match[2] ?? match[3]!.replace(/\\(.)/g, '$1'))
      position = PAIR.lastIndex
      if (position < text.length && text.charCodeAt(position) !== 0x3b) return null
    }
    position++
  }
  return pairs
}
