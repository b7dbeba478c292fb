import { HttpError, type HttpRequest, RrError } from '@rr/core'

/** Fields by name: a string, or an array where the name comes again. Inherits nothing. */
export type Fields = Record<string, string | string[]>

export function fieldsOf(pairs: Iterable<[string, string]>): Fields {
  const fields = Object.create(null) as Fields
  for (const [name, value] of pairs) {
    const earlier = fields[name]
    if (earlier === undefined) fields[name] = value
    else if (typeof earlier === 'string') fields[name] = [earlier, value]
    else earlier.push(value)
  }
  return fields
}

/**
 * What a body says, by its media type; undefined where there is no body. A body whose type is not
 * named is refused: that is how a form on another site would send JSON without the browser asking.
 *
 * @throws HttpError 415; RrError as `request.json`
 */
export async function readBodyValue(request: HttpRequest): Promise<unknown> {
  const { headers } = request
  if (!request.hasBody || headers.get('content-length') === '0') return undefined
  const type = mediaType(headers.get('content-type'))
  if (isJsonType(type)) return await request.json()
  if (type === 'application/x-www-form-urlencoded') return formFields(await request.bytes())
  throw new HttpError(
    415,
    `the body is ${type === '' ? 'of no media type' : type}, and application/json or ` +
      'application/x-www-form-urlencoded is expected here',
  )
}

/** The type without its parameters, in lower case; empty without one. */
export function mediaType(contentType: string | null): string {
  return (contentType?.split(';', 1)[0] ?? '').trim().toLowerCase()
}

/** JSON, or a media type that is built on it (RFC 6839 §3.1). */
export function isJsonType(type: string): boolean {
  return type === 'application/json' || /^application\/.+\+json$/.test(type)
}

function formFields(bytes: Uint8Array): Fields {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    // URLSearchParams replaces what is not UTF-8, and would drop one `?` at the start.
    if (text.includes('%')) decodeURIComponent(text)
    return fieldsOf(new URLSearchParams(`?${text}`))
  } catch (cause) {
    throw new RrError('RR_BODY_MALFORMED', 'the request body is not a form in UTF-8', { cause })
  }
}
