import { statSync } from 'node:fs'

/** What tells one state of a file from another; `MISSING` for one that is not there. */
export type FileStamp = string

export const MISSING: FileStamp = ''

/** Time, size and identity: an editor that saves by renaming a new file over the old changes the last. */
export function stampOf(path: string): FileStamp {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return MISSING
    return `${stats.mtimeMs}:${stats.size}:${stats.ino}`
  } catch {
    // A folder above it has become a file, or may not be entered any more.
    return MISSING
  }
}
