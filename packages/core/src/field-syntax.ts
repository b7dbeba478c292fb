/** The grammar of field names and values (RFC 9110 §5.1, §5.5, §5.6.2). */

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Visible characters, SP, HTAB and obs-text; no other control, so no CR, LF or NUL. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** True for a token (RFC 9110 §5.6.2): field names, methods, codings. */
export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** True for what may be sent as a field value, one byte a character. */
export function isFieldValue(text: string): boolean {
  return FIELD_VALUE.test(text)
}

/** `text` from `start` to `end` without spaces and tabs around it (OWS, RFC 9110 §5.6.3). */
export function sliceTrimmed(text: string, start: number, end: number): string {
  while (start < end && isOws(text.charCodeAt(start))) start++
  while (end > start && isOws(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** Compares `length` characters of `text` at `start` with `lower`, which is in lower case. */
export function equalsIgnoreCase(text: string, start: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    let code = text.charCodeAt(start + i)
    if (code >= 0x41 && code <= 0x5a) code |= 0x20
    if (code !== lower.charCodeAt(i)) return false
  }
  return true
}

/**
 * True when the field line of `head` at `position` has that name, in whatever case. The caller has
 * seen a colon behind it, which need not be the line's first: a value may hold one too.
 */
export function isFieldName(head: string, position: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    const other = head.charCodeAt(position + i)
    if (code === other) {
      if (code === 0x3a) return false
      continue
    }
    // Letters differ by one bit in case; other characters that do are other characters.
    const lower = code | 0x20
    if (lower !== (other | 0x20) || lower < 0x61 || lower > 0x7a) return false
  }
  return true
}
