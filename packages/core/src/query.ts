import { RrError } from './errors.ts'

/**
 * A query as the WHATWG's application/x-www-form-urlencoded parser reads it, except that what this
 * would replace by U+FFFD or take literally is refused: a lone `%`, and bytes that are not UTF-8.
 * Who reads such a query next could understand it in another way.
 */

/**
 * All parameters of a query, repeats kept.
 *
 * @throws RrError RR_QUERY_MALFORMED
 */
export function parseQuery(query: string): URLSearchParams {
  if (query.includes('%')) decode(query)
  // URLSearchParams drops one `?` at the start, which here would be a part of the first name.
  return new URLSearchParams(`?${query}`)
}

/**
 * The value of the first parameter of that name, or null. One pass over the query; only what may be
 * that parameter is decoded.
 *
 * @throws RrError RR_QUERY_MALFORMED
 */
export function findQueryParam(query: string, name: string): string | null {
  const isEncoded = query.includes('%') || query.includes('+')
  // Searched for again only when it has been passed: a query of `&` alone is not searched for `=`
  // from each of them.
  let equals = -1
  for (let start = 0; start < query.length; ) {
    let end = query.indexOf('&', start)
    if (end < 0) end = query.length
    if (equals < start) {
      equals = query.indexOf('=', start)
      if (equals < 0) equals = query.length
    }
    const nameEnd = equals < end ? equals : end
    const isFound = isEncoded
      ? isName(query.slice(start, nameEnd), name)
      : nameEnd - start === name.length && query.startsWith(name, start)
    // Nothing between two `&` is no parameter; `=` alone is one without a name.
    if (isFound && end > start) {
      if (nameEnd === end) return ''
      const value = query.slice(nameEnd + 1, end)
      return isEncoded ? decode(value) : value
    }
    start = end + 1
  }
  return null
}

function isName(text: string, name: string): boolean {
  // Decoding makes no text longer, and only an escape or `+` makes it another.
  if (text.length < name.length) return false
  return text.includes('%') || text.includes('+') ? decode(text) === name : text === name
}

/** @throws RrError RR_QUERY_MALFORMED */
function decode(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch (cause) {
    throw new RrError(
      'RR_QUERY_MALFORMED',
      'the query is not percent-encoded UTF-8 (RFC 3986 §2.1)',
      { cause },
    )
  }
}
