import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type FileStamp, stampOf } from './file-stamp.ts'

/**
 * Files are looked at in turn instead of being told of by the system: that sees saves by rename,
 * folders that go and come back at a checkout, network and container mounts that report nothing, and
 * needs no watches that run out. 1000 files take 3 to 6 ms (measured), so a look every 200 ms costs
 * little; more files are looked at less often.
 */
const LOOK_INTERVAL_MS = 200
const MAX_CPU_SHARE = 0.02
const MAX_INTERVAL_MS = 500

/** A burst has ended when nothing has changed for this long, or has gone on for so long. */
const SETTLE_MS = 50
const MAX_BURST_MS = 400

/** Of the folders named; a folder such as `/` would otherwise take the command's time and memory. */
const MAX_FOLDER_FILES = 10_000
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['node_modules', '.git'])

/** Watches files, there or not, and folders with all below them. */
export class FileWatch {
  readonly #stamps = new Map<string, FileStamp>()
  /** Those given; which of them are folders may change. */
  readonly #paths: readonly string[]
  readonly #changed = new Set<string>()
  /** False until the first look, whose finds in folders are no news. */
  #hasLooked = false
  #isCut = false

  /** @param paths files and folders to watch besides those that are added */
  constructor(paths: readonly string[] = []) {
    this.#paths = paths
    for (const path of paths) if (!isFolder(path)) this.add(path, stampOf(path))
    this.#look()
  }

  /** True where the folders hold more files than are watched. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** How many files are watched. */
  get size(): number {
    return this.#stamps.size
  }

  /**
   * Watches a file from the state that `stamp` tells. One that is watched already and was in another
   * state counts as changed: whoever adds it has seen an older one, or a newer.
   */
  add(path: string, stamp: FileStamp): void {
    const known = this.#stamps.get(path)
    if (known === undefined) this.#stamps.set(path, stamp)
    else if (known !== stamp) this.#changed.add(path)
  }

  /** Resolves with what has changed since the last call, once it stands still. */
  async nextChange(signal: AbortSignal): Promise<readonly string[]> {
    let intervalMs = LOOK_INTERVAL_MS
    while (this.#changed.size === 0) {
      await pause(intervalMs, signal)
      const begunAt = performance.now()
      this.#look()
      const tookMs = performance.now() - begunAt
      intervalMs = Math.min(Math.max(LOOK_INTERVAL_MS, tookMs / MAX_CPU_SHARE), MAX_INTERVAL_MS)
    }
    const settledBy = performance.now() + MAX_BURST_MS
    do await pause(SETTLE_MS, signal)
    while (this.#look() && performance.now() < settledBy)
    const paths = [...this.#changed]
    this.#changed.clear()
    return paths
  }

  /** Looks at every file; true when one has changed since the last look. */
  #look(): boolean {
    let isChanged = false
    for (const [path, known] of this.#stamps) {
      const stamp = stampOf(path)
      if (stamp === known) continue
      this.#stamps.set(path, stamp)
      this.#changed.add(path)
      isChanged = true
    }
    for (const root of this.#paths) {
      for (const path of this.#filesBelow(root)) {
        if (this.#stamps.has(path)) continue
        this.#stamps.set(path, stampOf(path))
        if (!this.#hasLooked) continue
        this.#changed.add(path)
        isChanged = true
      }
    }
    this.#hasLooked = true
    return isChanged
  }

  /** Symbolic links are not followed: they may lead round in circles. */
  #filesBelow(root: string): string[] {
    const files: string[] = []
    const folders = [root]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of readFolder(folder)) {
        const path = join(folder, entry.name)
        if (entry.isDirectory()) {
          if (!SKIPPED_FOLDERS.has(entry.name)) folders.push(path)
        } else if (entry.isFile()) files.push(path)
        if (files.length < MAX_FOLDER_FILES) continue
        this.#isCut = true
        return files
      }
    }
    return files
  }
}

function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    // A file, or it has gone, for now or for good.
    return []
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Keeps the process alive: a command that waits for a change has nothing else. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
