export const BOUNDARY = 'rr-boundary'
export const FORM_DATA: string = `multipart/form-data; boundary=${BOUNDARY}`

/** A part: its header lines without the last CRLF, and its content. */
export type PartText = readonly [lines: string, content: string]

/** A part of a field or, with a file name, a file. */
export function field(name: string, content: string, filename?: string): PartText {
  const file = filename === undefined ? '' : `; filename="${filename}"`
  return [`Content-Disposition: form-data; name="${name}"${file}`, content]
}

/** A multipart body of these parts; characters are UTF-8. */
export function multipartBody(parts: readonly PartText[]): string {
  const text = parts.map(([lines, content]) => `--${BOUNDARY}\r\n${lines}\r\n\r\n${content}\r\n`)
  return `${text.join('')}--${BOUNDARY}--\r\n`
}
