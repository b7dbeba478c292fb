import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HttpError, type HttpRequest, type HttpResponse } from '@rr/core'
import { contentDisposition } from './content-disposition.ts'
import { answerFromFile } from './file-answer.ts'
import { mediaTypeOf } from './media-type.ts'
import { examine, isAbsence, NO_FOLLOW, type OpenedFile, openToRead } from './opened-file.ts'

/** How `file` sends. */
export interface FileOptions {
  /** Default: by the extension, `application/octet-stream` when that is not known. */
  readonly contentType?: string
  /** The value of Cache-Control; default: the field is not sent. */
  readonly cacheControl?: string
  /** `attachment` makes browsers save it (RFC 6266). Default: the field is not sent. */
  readonly disposition?: 'inline' | 'attachment'
  /** The name to save it under; default the file's own. Takes effect with `disposition`. */
  readonly fileName?: string
  /** `deny` answers 404 when the path's last part is a symbolic link. Default `follow`. */
  readonly symlinks?: 'follow' | 'deny'
}

/**
 * Answers with a file: its type, ETag, Last-Modified, conditional requests in the order of
 * RFC 9110 §13.2.2, one range or several (§14), HEAD. It is read while it is sent, up to 64 KiB at
 * once, and closed in every case. When it becomes shorter meanwhile, the connection is cut.
 *
 * `path` is opened as it is: never build it from a request. `staticFiles` serves a folder.
 *
 * @param path a relative one is taken from the working directory
 * @throws HttpError 404 for what does not exist or is no regular file: a folder, FIFO or device;
 *   RrError RR_HEADER_INVALID for options that no header can carry; the system's error otherwise
 * @example
 * const manual = new URL('./manual.pdf', import.meta.url)
 * app.get('/manual', (request) => file(request, manual, { disposition: 'attachment' }))
 */
export async function file(
  request: HttpRequest<unknown, unknown>,
  path: string | URL,
  options: FileOptions = {},
): Promise<HttpResponse> {
  const name = path instanceof URL ? fileURLToPath(path) : resolve(path)
  const fields = fileFields(name, options)
  const opened = await openFile(name, options.symlinks === 'deny' ? NO_FOLLOW : 0)
  if (opened === null) throw new HttpError(404, 'Not Found')
  return await answerFromFile(request, opened, fields)
}

function fileFields(name: string, options: FileOptions): [string, string][] {
  const { contentType = mediaTypeOf(name), cacheControl, disposition } = options
  const fields: [string, string][] = [['content-type', contentType]]
  if (cacheControl !== undefined) fields.push(['cache-control', cacheControl])
  if (disposition !== undefined) {
    const fileName = options.fileName ?? basename(name)
    fields.push(['content-disposition', contentDisposition(disposition, fileName)])
  }
  return fields
}

async function openFile(path: string, extraFlags: number): Promise<OpenedFile | null> {
  try {
    const found = await examine(await openToRead(path, extraFlags))
    return found === 'directory' ? null : found
  } catch (error) {
    if (isAbsence(error)) return null
    throw error
  }
}
