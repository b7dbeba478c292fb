import { RrError } from './errors.ts'
import { FormFields } from './form-fields.ts'
import type { MultipartPart } from './multipart.ts'
import type { moveFile, UploadFiles } from './upload-files.ts'

/** A file of a form, in a temporary file that is removed when its request ends. */
export class UploadedFile {
  /** The field's name. */
  readonly name: string
  /** As `MultipartPart.filename`: the client's word, '' without one. */
  readonly filename: string
  /** As the client says. */
  readonly contentType: string
  /** Bytes. */
  readonly size: number
  /** Where the temporary file is, until the request ends. */
  readonly path: string
  readonly #move: typeof moveFile

  /** Made by rr, not by applications. */
  constructor(part: MultipartPart, path: string, size: number, move: typeof moveFile) {
    this.name = part.name
    this.filename = part.filename ?? ''
    this.contentType = part.contentType
    this.path = path
    this.size = size
    this.#move = move
  }

  /**
   * Moves the file to a path of the application's choice, where it stays, readable by this
   * process's user only. A file that is there already is replaced.
   *
   * @throws the system's error
   */
  saveTo(path: string): Promise<void> {
    return this.#move(this.path, path)
  }
}

/** A multipart form that has been read whole. */
export interface MultipartForm {
  readonly fields: FormFields
  /** In the order sent, repeats of a name kept. */
  readonly files: readonly UploadedFile[]
}

/** Reads all parts: fields into memory, files into `files`. Throws as the parts do. */
export async function collectForm(
  parts: AsyncIterable<MultipartPart>,
  uploads: UploadFiles,
  move: typeof moveFile,
): Promise<MultipartForm> {
  const names: string[] = []
  const values: string[] = []
  const files: UploadedFile[] = []
  for await (const part of parts) {
    if (part.filename === null) {
      names.push(part.name)
      values.push(decodeField(await part.bytes()))
    } else {
      const { path, size } = await uploads.save(part)
      files.push(new UploadedFile(part, path, size, move))
    }
  }
  return { fields: new FormFields(names, values), files }
}

/** As of a form without files: UTF-8 or refused. */
function decodeField(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new RrError('RR_BODY_MALFORMED', 'a field of the multipart body is not UTF-8', { cause })
  }
}
