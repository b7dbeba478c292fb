import { RrError } from './errors.ts'
import { mainValue, unsupportedType } from './media-type.ts'

/** What `json()` takes. */
export interface JsonBodyOptions {
  /** True reads the body whatever its Content-Type says. Default false. */
  readonly anyType?: boolean
}

/** @throws RrError RR_MEDIA_TYPE_UNSUPPORTED (415) for a type that is there and not of JSON */
export function checkJsonType(contentType: string | null): void {
  if (contentType !== null && !isJsonType(contentType)) throw unsupportedType('JSON')
}

/** @throws RrError RR_BODY_MALFORMED (400) for what is not JSON in UTF-8 */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new RrError('RR_BODY_MALFORMED', 'the request body is not JSON', { cause })
  }
}

/**
 * True for a Content-Type of JSON: `application/json`, `text/json` or `...+json`, with or without
 * parameters (WHATWG MIME Sniffing §4.6).
 */
export function isJsonType(contentType: string): boolean {
  if (contentType === 'application/json') return true
  const type = mainValue(contentType)
  return (
    type === 'application/json' || type === 'text/json' || /^[^/, ]+\/[^/, ]+\+json$/.test(type)
  )
}
