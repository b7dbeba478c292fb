import { writeSync } from 'node:fs'

/**
 * Writes whole lines to one file descriptor from several threads.
 *
 * - A worker's line is with the kernel before `write` returns, so that a thread that ends, in
 *   whatever way, leaves none behind in memory.
 * - One thread at a time has the turn, because a pipe takes at most PIPE_BUF (4096) bytes at once
 *   for sure: longer lines of two threads would mix.
 * - A reader that is slow slows the writer; nothing is dropped. A reader that has gone (EPIPE) ends
 *   the writing, and the server goes on without a log.
 */

/** Words of the memory that the writers of one process share. */
const TURN = 0
const OWNER = 1
const GONE = 2
const WORDS = 3

/** Values of TURN, as in Drepper's "Futexes Are Tricky": a lone writer makes no system call. */
const FREE = 0
const TAKEN = 1
const CONTENDED = 2

const NO_OWNER = -1

/** A full pipe in non-blocking mode is tried again after 1 ms, then 2, 4 ... up to this. */
const MAX_RETRY_MS = 16

/** Makes the memory that all writers of a process need. */
export function createWriterState(): SharedArrayBuffer {
  const state = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)
  new Int32Array(state)[OWNER] = NO_OWNER
  return state
}

/** Gives back the turn of a thread that ended while it had it. */
export function releaseTurn(shared: SharedArrayBuffer, owner: number): void {
  const state = new Int32Array(shared)
  if (Atomics.compareExchange(state, OWNER, owner, NO_OWNER) === owner) freeTurn(state)
}

export interface LineWriterOptions {
  /** Open for writing. */
  readonly fd: number
  /** Made by `createWriterState`. */
  readonly state: SharedArrayBuffer
  /** A number that tells the thread from the others. */
  readonly owner: number
  /** How long `write` may block before it keeps the line for later. */
  readonly patienceMs: number
  /** Told once in the process, by the thread that finds the reader gone. */
  readonly onGone: (error: NodeJS.ErrnoException) => void
}

/** One thread's end of the log. */
export class LineWriter {
  readonly #fd: number
  readonly #state: Int32Array
  readonly #owner: number
  readonly #patienceMs: number
  readonly #onGone: (error: NodeJS.ErrnoException) => void
  /** Lines that outlasted the patience, in order; empty for ever where that is Infinity. */
  #kept: string[] = []
  #retry: NodeJS.Timeout | null = null

  constructor(options: LineWriterOptions) {
    this.#fd = options.fd
    this.#state = new Int32Array(options.state)
    this.#owner = options.owner
    this.#patienceMs = options.patienceMs
    this.#onGone = options.onGone
  }

  /** Takes a line with its line end. */
  write(line: string): void {
    if (this.#kept.length === 0 && this.#tryWrite(line, this.#patienceMs)) return
    this.#kept.push(line)
    this.#retryLater()
  }

  /** Writes what was kept; gives up when the reader takes nothing for `patienceMs`. */
  flush(patienceMs: number): void {
    while (this.#kept.length > 0 && this.#tryWrite(this.#kept[0] ?? '', patienceMs)) {
      this.#kept.shift()
    }
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = null
      this.flush(0)
      if (this.#kept.length > 0) this.#retryLater()
    }, MAX_RETRY_MS).unref()
  }

  /** False when the line could not be begun in time. */
  #tryWrite(line: string, patienceMs: number): boolean {
    if (Atomics.load(this.#state, GONE) === 1) return true
    const deadline = patienceMs === Infinity ? Infinity : performance.now() + patienceMs
    if (!takeTurn(this.#state, this.#owner, patienceMs)) return false
    try {
      return writeWhole(this.#fd, Buffer.from(line), deadline)
    } catch (error) {
      this.#onWriteError(error as NodeJS.ErrnoException)
      return true
    } finally {
      Atomics.store(this.#state, OWNER, NO_OWNER)
      freeTurn(this.#state)
    }
  }

  #onWriteError(error: NodeJS.ErrnoException): void {
    // A full disk may be emptied: only this line is lost, and the next one is tried.
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return
    if (Atomics.exchange(this.#state, GONE, 1) === 0) this.#onGone(error)
  }
}

function takeTurn(state: Int32Array, owner: number, patienceMs: number): boolean {
  if (Atomics.compareExchange(state, TURN, FREE, TAKEN) !== FREE) {
    while (Atomics.exchange(state, TURN, CONTENDED) !== FREE) {
      if (Atomics.wait(state, TURN, CONTENDED, patienceMs) === 'timed-out') return false
    }
  }
  Atomics.store(state, OWNER, owner)
  return true
}

function freeTurn(state: Int32Array): void {
  if (Atomics.exchange(state, TURN, FREE) === CONTENDED) Atomics.notify(state, TURN, 1)
}

/** False when nothing was taken by the deadline. A line that was begun is finished. */
function writeWhole(fd: number, bytes: Uint8Array, deadline: number): boolean {
  let offset = 0
  let retryMs = 1
  while (offset < bytes.length) {
    try {
      offset += writeSync(fd, bytes, offset)
      retryMs = 1
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      if (offset === 0 && performance.now() >= deadline) return false
      sleep(retryMs)
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)
    }
  }
  return true
}

const sleeper = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

function sleep(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms)
}
