import { RrError } from './errors.ts'
import { isFieldValue, isToken } from './field-syntax.ts'
import { mainValue, parseParameters } from './media-type.ts'
import type { MultipartOptions } from './multipart-options.ts'

/** What the header lines of a part say (RFC 7578 §4). */
export interface PartHead {
  readonly name: string
  /** The client's name for the file without folders, '' for a nameless one; null for a field. */
  readonly filename: string | null
  readonly contentType: string
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
}

/** Bytes as latin1 characters, which is how the parser gives them. */
type RawHeaders = Readonly<Record<string, readonly string[]>>

/** RFC 7578 §4.7: a part is sent as it is, and whoever reads it would take an encoded one so. */
const PLAIN_ENCODINGS = new Set(['7bit', '8bit', 'binary'])

/**
 * @throws RrError RR_BODY_MALFORMED (400) for a part that is none of a form; RR_BODY_TOO_LARGE
 *   (413) over a limit
 */
export function readPartHead(raw: RawHeaders, limits: MultipartOptions): PartHead {
  const headers = readHeaders(raw, limits)
  const disposition = headers.get('content-disposition')
  if (disposition === undefined || mainValue(disposition) !== 'form-data') {
    throw malformedPart('has no content-disposition: form-data')
  }
  const encoding = headers.get('content-transfer-encoding')
  if (encoding !== undefined && !PLAIN_ENCODINGS.has(encoding.toLowerCase())) {
    throw malformedPart('has a content-transfer-encoding (RFC 7578 §4.7)')
  }
  // `filename*` is not read: it must not be sent (RFC 7578 §4.2), and would be a second opinion.
  const parameters = parseParameters(disposition)
  const name = parameters?.get('name')
  if (parameters === null || name === undefined) throw malformedPart('has no valid name')
  const filename = parameters.get('filename')
  checkName(name, limits)
  if (filename !== undefined) checkName(filename, limits)
  return {
    name: unescapeName(name),
    filename: filename === undefined ? null : baseName(filename),
    contentType:
      headers.get('content-type') ??
      (filename === undefined ? 'text/plain' : 'application/octet-stream'),
    headers,
  }
}

function readHeaders(raw: RawHeaders, limits: MultipartOptions): Map<string, string> {
  const headers = new Map<string, string>()
  let lines = 0
  let bytes = 0
  for (const [name, values] of Object.entries(raw)) {
    for (const value of values) {
      lines++
      bytes += name.length + value.length
    }
    if (values.length > 1) throw malformedPart('repeats a header field')
    // `Content-Disposition : ...` is one to readers that trim, and none to others.
    if (!isToken(name)) throw malformedPart('has a header name that is none')
    // Browsers send the controls in file names as they are; `baseName` takes them out.
    if (name !== 'content-disposition' && !values.every(isFieldValue)) {
      throw malformedPart('has a control character in a header')
    }
    headers.set(name, decode(values[0] ?? ''))
  }
  if (lines > limits.maxHeaders) throw tooLarge(`more than ${limits.maxHeaders} header lines`)
  if (bytes > limits.maxHeaderBytes) {
    throw tooLarge(`more than ${limits.maxHeaderBytes} bytes of header lines`)
  }
  return headers
}

/** Names are UTF-8 (RFC 7578 §5.1). */
function decode(value: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
    return text.trim()
  } catch {
    throw malformedPart('has a header that is not UTF-8')
  }
}

function checkName(name: string, limits: MultipartOptions): void {
  if (Buffer.byteLength(name) > limits.maxNameBytes) {
    throw tooLarge(`a name of more than ${limits.maxNameBytes} bytes`)
  }
}

/** Browsers escape these three, and no others (HTML §4.10.21.8). */
function unescapeName(name: string): string {
  return name.replace(/%(?:0A|0D|22)/gi, decodeURIComponent)
}

/**
 * What is left of a file name when it can harm nobody: no folders in the way of either system, no
 * dot segments, no controls. Still a client's word: never a path to write to.
 */
function baseName(filename: string): string {
  const last = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1)
  const clean = last.replace(/%22/g, '"').replace(CONTROLS, '')
  return clean === '.' || clean === '..' ? '' : clean
}

/**
 * C0, DEL and C1; U+2028 and U+2029, which end a line for some readers and no header can carry; the
 * characters that turn the direction of text, which make `gpj.exe` of `exe.jpg`.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

export function malformedPart(what: string): RrError {
  return new RrError('RR_BODY_MALFORMED', `a part of the multipart body ${what}`)
}

export function tooLarge(what: string): RrError {
  return new RrError('RR_BODY_TOO_LARGE', `the multipart body has ${what}`)
}
