import { RrError } from './errors.ts'
import { FormFields } from './form-fields.ts'
import type { FormOptions } from './form-options.ts'
import { mainValue, parseParameters, unsupportedType } from './media-type.ts'

const UTF8: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws RrError RR_MEDIA_TYPE_UNSUPPORTED (415) for a type that is none of a form, or none at all */
export function checkFormType(contentType: string | null, hasBody: boolean): void {
  if (contentType === null ? hasBody : !isFormType(contentType)) {
    throw unsupportedType('application/x-www-form-urlencoded in UTF-8')
  }
}

/**
 * Reads application/x-www-form-urlencoded (WHATWG URL §5.1), but for one thing: what the standard
 * would guess at or replace, broken percent-encoding and invalid UTF-8, is refused. All of it is
 * checked here, so that decoding a field later cannot fail.
 *
 * @throws RrError RR_BODY_MALFORMED (400), RR_BODY_TOO_LARGE (413) over the number of fields
 */
export function parseForm(bytes: Uint8Array, limits: FormOptions): FormFields {
  const text = decodeBytes(bytes)
  const names: string[] = []
  const values: string[] = []
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('&', start)
    if (end < 0) end = text.length
    if (end > start) {
      if (names.length === limits.maxFields) {
        throw new RrError('RR_BODY_TOO_LARGE', `the form has more than ${limits.maxFields} fields`)
      }
      const field = text.slice(start, end)
      const equals = field.indexOf('=')
      names.push(equals < 0 ? field : field.slice(0, equals))
      values.push(equals < 0 ? '' : field.slice(equals + 1))
    }
    start = end + 1
  }
  return new FormFields(names, values, decodeField)
}

/** Only of text in a form whose percent-encoding has been checked. */
function decodeField(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  return spaced.includes('%') ? decodeURIComponent(spaced) : spaced
}

/** The form as text, still percent-encoded, every escape of which can be decoded. */
function decodeBytes(bytes: Uint8Array): string {
  try {
    const text = UTF8.decode(bytes)
    // For what it throws only. As fast as a loop over the bytes written for it: 8 us for 4 KiB.
    if (text.includes('%')) decodeURIComponent(text)
    return text
  } catch (cause) {
    const message = 'the form has broken percent-encoding or invalid UTF-8'
    throw new RrError('RR_BODY_MALFORMED', message, { cause })
  }
}

/** True for a form of the web in UTF-8, which is the only encoding that it has (WHATWG URL §5). */
function isFormType(contentType: string): boolean {
  if (contentType === 'application/x-www-form-urlencoded') return true
  if (mainValue(contentType) !== 'application/x-www-form-urlencoded') return false
  const charset = parseParameters(contentType)?.get('charset')
  return charset === undefined || /^utf-?8$/i.test(charset)
}
