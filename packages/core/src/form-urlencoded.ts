import { RrError } from './errors.ts'
import { FormFields } from './form-fields.ts'
import type { FormOptions } from './form-options.ts'

const PERCENT = 0x25
/** The value of each byte as a hexadecimal digit, or -1. */
const HEX_DIGITS: Int8Array = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16)
  return Number.isNaN(digit) ? -1 : digit
})

/**
 * Reads application/x-www-form-urlencoded (WHATWG URL §5.1), but for one thing: what the standard
 * would guess at or replace, broken percent-encoding and invalid UTF-8, is refused. All of it is
 * checked here, so that decoding a field later cannot fail.
 *
 * @throws RrError RR_BODY_MALFORMED (400), RR_BODY_TOO_LARGE (413) over the number of fields
 */
export function parseForm(bytes: Uint8Array, limits: FormOptions): FormFields {
  if (!isPercentEncoded(bytes)) throw malformed('has broken percent-encoding or invalid UTF-8')
  const text = decodeUtf8(bytes)
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

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw malformed('is not UTF-8', cause)
  }
}

/** True when every `%` begins an escape, and the escapes make whole characters of UTF-8. */
function isPercentEncoded(bytes: Uint8Array): boolean {
  const first = bytes.indexOf(PERCENT)
  let position = first < 0 ? bytes.length : first
  while (position < bytes.length) {
    if (bytes[position] !== PERCENT) {
      position++
      continue
    }
    const byte = escapedAt(bytes, position)
    if (byte < 0) return false
    position += 3
    if (byte < 0x80) continue
    position = characterEnd(bytes, position, byte)
    if (position < 0) return false
  }
  return true
}

/** Where the escapes end that belong to a lead byte, or -1 (RFC 3629 §4: shortest form, no surrogates). */
function characterEnd(bytes: Uint8Array, start: number, lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return -1
  const following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
  let lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  let highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  const end = start + 3 * following
  for (let position = start; position < end; position += 3) {
    const byte = bytes[position] === PERCENT ? escapedAt(bytes, position) : -1
    if (byte < lowest || byte > highest) return -1
    lowest = 0x80
    highest = 0xbf
  }
  return end
}

/** The byte that the escape at `position` stands for, or -1. */
function escapedAt(bytes: Uint8Array, position: number): number {
  if (position + 2 >= bytes.length) return -1
  const high = HEX_DIGITS[bytes[position + 1] as number] as number
  const low = HEX_DIGITS[bytes[position + 2] as number] as number
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function malformed(what: string, cause?: unknown): RrError {
  return new RrError('RR_BODY_MALFORMED', `the form ${what}`, { cause })
}
