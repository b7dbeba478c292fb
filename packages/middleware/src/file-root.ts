import { type FileHandle, lstat, readlink, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import {
  examine,
  isAbsence,
  isDenial,
  NO_FOLLOW,
  type OpenedFile,
  openToRead,
} from './opened-file.ts'

/**
 * `inside`: links are followed as long as what they lead to lies in the root. `deny`: a path with a
 * link in it names nothing. `follow`: wherever they lead.
 */
export type SymlinkPolicy = 'inside' | 'deny' | 'follow'

/** Where the system tells the true path of what is open. */
const DESCRIPTORS = process.platform === 'linux' ? '/proc/self/fd' : null

/** A folder whose files can be opened, and nothing else. */
export class FileRoot {
  readonly #path: string
  readonly #prefix: string
  readonly #symlinks: SymlinkPolicy
  readonly #descriptors: string | null

  /**
   * @param path the real path of the folder, without a link in it
   * @param descriptors null where the system has no such folder; then paths are compared before and
   *   after opening, which who can rename folders in the root at that moment may outwit
   */
  constructor(path: string, symlinks: SymlinkPolicy, descriptors: string | null = DESCRIPTORS) {
    this.#path = path
    this.#prefix = path.endsWith(sep) ? path : path + sep
    this.#symlinks = symlinks
    this.#descriptors = descriptors
  }

  /**
   * Opens the file at a path below the root.
   *
   * @param segments names that hold no separator and are no dot segments
   * @returns null for what does not exist, may not be read, lies outside or is no regular file
   * @throws the system's error when it has other reasons, such as too many open files
   */
  async open(segments: readonly string[]): Promise<OpenedFile | 'directory' | null> {
    const path = segments.length === 0 ? this.#path : this.#prefix + segments.join(sep)
    try {
      const handle = await this.#openInside(path)
      return handle === null ? null : await examine(handle)
    } catch (error) {
      // What may not be read is not told from what is not there.
      if (isAbsence(error) || isDenial(error)) return null
      throw error
    }
  }

  async #openInside(path: string): Promise<FileHandle | null> {
    if (this.#symlinks === 'follow') return openToRead(path)
    if (this.#descriptors === null) return this.#openCompared(path)
    const handle = await openToRead(path, this.#symlinks === 'deny' ? NO_FOLLOW : 0)
    let isInside: boolean
    try {
      // The path of what was opened, not of what the name means by now.
      isInside = this.#isAllowed(
        path,
        await readlink(`${this.#descriptors}/${handle.fd}`, 'buffer'),
      )
    } catch (error) {
      await handle.close()
      // No /proc here.
      if (isAbsence(error)) return this.#openCompared(path)
      throw error
    }
    if (isInside) return handle
    await handle.close()
    return null
  }

  /** Resolves the path, opens the result without following anything, and looks again. */
  async #openCompared(path: string): Promise<FileHandle | null> {
    const real = await realpath(path)
    if (!this.#isAllowed(path, Buffer.from(real))) return null
    const handle = await openToRead(real, NO_FOLLOW)
    try {
      const opened = await handle.stat({ bigint: true })
      const named = await lstat(real, { bigint: true })
      const isSame = opened.ino === named.ino && opened.dev === named.dev
      if (isSame && (await realpath(path)) === real) return handle
    } catch (error) {
      await handle.close()
      throw error
    }
    await handle.close()
    return null
  }

  #isAllowed(path: string, real: Buffer): boolean {
    // As bytes: a path on disk need not be UTF-8, and could look like another one when decoded.
    // Linux marks what was replaced or removed since it was opened.
    if (real.equals(Buffer.from(path)) || real.equals(Buffer.from(`${path} (deleted)`))) return true
    if (this.#symlinks === 'deny') return false
    const prefix = Buffer.from(this.#prefix)
    return real.length > prefix.length && real.subarray(0, prefix.length).equals(prefix)
  }
}
