/**
 * The authority of a request: `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2), without
 * userinfo, which RFC 9110 §4.2.4 forbids. A wrong answer here lets two servers in a row disagree
 * about whom a request is for.
 */

/** 1 for the characters of a reg-name: unreserved and sub-delims; `%` is checked apart. */
const REG_NAME: Uint8Array = (() => {
  const table = new Uint8Array(256)
  const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;="
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
})()

const IP_LITERAL = /^\[(?:[0-9A-Fa-f:.]+|v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)\]$/
const COLON = 0x3a

/** True for a host with an optional port. An empty host is allowed by the grammar, and so here. */
export function isAuthority(text: string): boolean {
  const end = text.charCodeAt(0) === 0x5b ? text.indexOf(']') + 1 : regNameEnd(text)
  if (end === 0 && text.length > 0 && text.charCodeAt(0) !== COLON) return false
  if (text.charCodeAt(0) === 0x5b && !IP_LITERAL.test(text.slice(0, end))) return false
  return end === text.length || isPort(text, end)
}

function regNameEnd(text: string): number {
  let position = 0
  while (position < text.length) {
    const code = text.charCodeAt(position)
    if (REG_NAME[code] === 1) position++
    else if (code === 0x25 && isHexPair(text, position + 1)) position += 3
    else break
  }
  return position
}

function isPort(text: string, colon: number): boolean {
  if (text.charCodeAt(colon) !== COLON) return false
  for (let i = colon + 1; i < text.length; i++) if (!isDigit(text.charCodeAt(i))) return false
  return Number(text.slice(colon + 1)) <= 65_535
}

function isHexPair(text: string, start: number): boolean {
  return isHexDigit(text.charCodeAt(start)) && isHexDigit(text.charCodeAt(start + 1))
}

function isHexDigit(code: number): boolean {
  const lower = code | 0x20
  return isDigit(code) || (lower >= 0x61 && lower <= 0x66)
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
