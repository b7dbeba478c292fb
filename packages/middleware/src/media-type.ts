import { extname } from 'node:path'
import mime from 'mime'

/**
 * The Content-Type for a file by its extension, `application/octet-stream` when there is none that
 * is known. Text is declared to be UTF-8, without which clients guess (RFC 9110 §8.3.2).
 */
export function mediaTypeOf(name: string): string {
  // The extension alone: the table would take a whole name such as `js` for one.
  const extension = extname(name)
  const type = extension === '' ? null : mime.getType(extension)
  if (type === null) return 'application/octet-stream'
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}
