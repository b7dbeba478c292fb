import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** What the system says about an opened file: of the very bytes that will be read. */
export interface FileFacts {
  readonly sizeBytes: number
  readonly mtimeMs: number
  /** Changes with every write, rename over the name, or change of the times. */
  readonly identity: string
}

/** A regular file, open for reading. Whoever has it closes it. */
export interface OpenedFile {
  readonly handle: FileHandle
  readonly facts: FileFacts
}

/**
 * Without O_NONBLOCK, opening a FIFO waits for a writer, and holds one of the few threads that do
 * all file work. O_NOCTTY: a terminal must not become that of the process.
 */
const READ_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0)

/** Also fails when the last part of the path is a symbolic link (ELOOP). */
export const NO_FOLLOW: number = constants.O_NOFOLLOW ?? 0

/** What opening fails with when the path names nothing that could be sent. */
const ABSENT = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENXIO',
  'ENODEV',
  'EINVAL',
  'ERR_INVALID_ARG_VALUE',
])

/** True for an error that means: there is no such file. */
export function isAbsence(error: unknown): boolean {
  return ABSENT.has(errorCode(error))
}

/** True for an error that means: this process may not read it. */
export function isDenial(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'EACCES' || code === 'EPERM'
}

/** Opens for reading without ever waiting. The caller closes the handle. */
export function openToRead(path: string, extraFlags = 0): Promise<FileHandle> {
  return open(path, READ_FLAGS | extraFlags)
}

/**
 * Looks at what has been opened, by its handle: the name may mean another file by now.
 *
 * @returns null, with the handle closed, for what is no regular file; `directory` for one of those
 */
export async function examine(handle: FileHandle): Promise<OpenedFile | 'directory' | null> {
  let kind: 'directory' | null = null
  try {
    const stats = await handle.stat({ bigint: true })
    if (stats.isFile()) {
      const { dev, ino, size, mtimeNs, ctimeNs } = stats
      const identity = `${dev}-${ino}-${size}-${mtimeNs}-${ctimeNs}`
      return {
        handle,
        facts: { sizeBytes: Number(size), mtimeMs: Number(stats.mtimeMs), identity },
      }
    }
    if (stats.isDirectory()) kind = 'directory'
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  return kind
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
