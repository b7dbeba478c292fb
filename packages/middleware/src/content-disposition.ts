import { RrError } from '@rr/core'

/** Controls would end the field or the name; U+2028 and U+2029 end a line for some readers. */
const REFUSED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/
/** A name is no path; and marks of writing direction make `exe.gpj` look like a picture. */
const REPLACED = /[/\\\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
/** What the quoted form can say such that all clients read the same. */
const PLAIN = /^[ !#-$&-[\]-~]*$/

/**
 * The value of Content-Disposition (RFC 6266). A name beyond plain ASCII is sent in the extended
 * form (RFC 8187) too, which clients prefer, with an ASCII likeness for those that do not know it.
 *
 * @param fileName null sends none; slashes and marks of writing direction in it become `_`
 * @throws RrError RR_HEADER_INVALID for a name with control characters: line breaks, NUL
 * @example
 * contentDisposition('attachment', 'Größe.pdf')
 * // attachment; filename="Gr__e.pdf"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf
 */
export function contentDisposition(
  type: 'inline' | 'attachment',
  fileName: string | null = null,
): string {
  if (fileName === null) return type
  if (REFUSED.test(fileName)) {
    throw new RrError(
      'RR_HEADER_INVALID',
      `the file name ${JSON.stringify(fileName)} has control characters, which Content-Disposition ` +
        'cannot carry (RFC 6266 §4.3)',
    )
  }
  const name = fileName.toWellFormed().replace(REPLACED, '_')
  if (PLAIN.test(name)) return `${type}; filename="${name}"`
  // `%` goes too: some clients decode it where the standard does not (RFC 6266 appendix D).
  const likeness = name.replace(/[^ !#$&-[\]-~]/gu, '_')
  return `${type}; filename="${likeness}"; filename*=UTF-8''${encodeExtended(name)}`
}

/** Everything but `attr-char` percent-encoded (RFC 8187 §3.2.1). */
function encodeExtended(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
