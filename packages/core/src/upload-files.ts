import { randomUUID } from 'node:crypto'
import { constants, copyFile, type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Nobody but this process's user reads an upload. */
const MODE = 0o600

/**
 * The temporary files of one request. Their names are random and they are made where nothing was
 * (O_EXCL, which follows no symbolic link), so that neither a client nor another user chooses what
 * is written to.
 */
export class UploadFiles {
  readonly #paths: string[] = []
  #isOver = false

  /** Writes a file. @returns its path and length in bytes */
  async save(chunks: AsyncIterable<Uint8Array>): Promise<{ path: string; size: number }> {
    const path = join(tmpdir(), `rr-upload-${randomUUID()}`)
    const file = await open(path, 'wx', MODE)
    this.#paths.push(path)
    try {
      const size = await writeAll(file, chunks)
      return { path, size }
    } finally {
      await file.close()
      // The request may have ended while the file was being made.
      if (this.#isOver) await removeFile(path)
    }
  }

  /** Removes them all: those that are there, and any that comes later. */
  removeAll(): void {
    this.#isOver = true
    for (const path of this.#paths) void removeFile(path)
  }
}

async function writeAll(file: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const chunk of chunks) {
    await file.writeFile(chunk)
    size += chunk.length
  }
  return size
}

/** Moves a file, also to another file system. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    await removeFile(from)
  }
}

/** A file that is gone already, or cannot be removed, is no reason to fail a request. */
async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(() => {})
}
