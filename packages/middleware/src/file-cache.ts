import type { Representation } from './representation.ts'

/** A small file in memory. */
export interface CachedFile {
  readonly representation: Representation
  readonly content: Uint8Array
}

interface Entry {
  /** Null: the file was not there. */
  readonly file: CachedFile | null
  readonly bytes: number
  checkedMs: number
}

/** What an entry takes beside the file: headers, names, the map's own; an estimate on the safe side. */
const ENTRY_BYTES = 2048

/**
 * Small files by name, the least recently used let go first. Each worker has its own; nothing is
 * shared between threads.
 */
export class FileCache {
  readonly #maxBytes: number
  readonly #revalidateMs: number
  readonly #entries: Map<string, Entry> = new Map()
  #bytes = 0

  /**
   * @param maxBytes files and what is kept about them; 0 keeps nothing
   * @param revalidateMs for how long an entry is used without looking at the file
   */
  constructor(maxBytes: number, revalidateMs: number) {
    this.#maxBytes = maxBytes
    this.#revalidateMs = revalidateMs
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What is known about a name and needs no look at the file; undefined when there is nothing. */
  fresh(name: string, nowMs: number): CachedFile | null | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    if (nowMs - entry.checkedMs >= this.#revalidateMs) {
      // One request looks, others that come meanwhile go on with what there is.
      entry.checkedMs = nowMs
      return undefined
    }
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry.file
  }

  /** What was kept last, however old: to compare with the file. */
  last(name: string): CachedFile | null {
    return this.#entries.get(name)?.file ?? null
  }

  keep(name: string, file: CachedFile | null, nowMs: number): void {
    this.drop(name)
    const bytes = ENTRY_BYTES + 2 * name.length + (file?.content.length ?? 0)
    if (bytes > this.#maxBytes) return
    this.#entries.set(name, { file, bytes, checkedMs: nowMs })
    this.#bytes += bytes
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break
      this.#entries.delete(oldest)
      this.#bytes -= entry.bytes
    }
  }

  drop(name: string): void {
    const entry = this.#entries.get(name)
    if (entry === undefined) return
    this.#entries.delete(name)
    this.#bytes -= entry.bytes
  }
}
