import { writeSync } from 'node:fs'
import { OutputTurn } from './output-turn.ts'

/**
 * Writes whole lines to one file descriptor from several threads.
 *
 * - A worker's line is with the kernel before `write` returns, so that a thread that ends, in
 *   whatever way, leaves none behind in memory.
 * - One thread at a time has the turn, because a pipe takes at most PIPE_BUF (4096) bytes at once
 *   for sure: longer lines of two threads would mix.
 * - A reader that is slow slows the writer; nothing is dropped. A reader that has gone (EPIPE) ends
 *   the writing, and the server goes on without a log.
 * - A writer with a finite patience that has begun a line when it ends keeps the rest, and the turn
 *   with it: the others would only find the pipe full, too. Its timer writes on.
 */

/** A full pipe in non-blocking mode is tried again after 1 ms, then 2, 4 ... up to this. */
const MAX_RETRY_MS = 16

const LINE_END = Buffer.from('\n')

export interface LineWriterOptions {
  /** Open for writing. Only in non-blocking mode can the patience be held. */
  readonly fd: number
  /** Made by `createWriterState`. */
  readonly state: SharedArrayBuffer
  /** A number that tells the thread from the others, from 0. */
  readonly owner: number
  /** How long `write` may block before it keeps the line for later. */
  readonly patienceMs: number
  /** Told once in the process, by the thread that finds the reader gone. */
  readonly onGone: (error: NodeJS.ErrnoException) => void
}

/** One thread's end of the log. */
export class LineWriter {
  readonly #fd: number
  readonly #turn: OutputTurn
  readonly #patienceMs: number
  readonly #onGone: (error: NodeJS.ErrnoException) => void
  /** What outlasted the patience, in order; empty for ever where that is Infinity. */
  readonly #kept: Buffer[] = []
  /** The first of what is kept is the rest of a line, and this thread still has the turn. */
  #isMidLine = false
  #retry: NodeJS.Timeout | null = null

  constructor(options: LineWriterOptions) {
    this.#fd = options.fd
    this.#turn = new OutputTurn(options.state, options.owner)
    this.#patienceMs = options.patienceMs
    this.#onGone = options.onGone
  }

  /** Takes a line with its line end. */
  write(line: string): void {
    if (this.#turn.isGone) return
    // Encoded before the turn is taken, in which the other threads wait.
    this.#kept.push(Buffer.from(line))
    if (this.#kept.length === 1) this.#tryFirst(this.#patienceMs)
    if (this.#kept.length > 0) this.#retryLater()
  }

  /** True while lines wait for the reader. */
  get hasKept(): boolean {
    return this.#kept.length > 0
  }

  /** Writes what was kept; gives up when the reader takes nothing for `patienceMs`. */
  flush(patienceMs: number): void {
    while (this.#kept.length > 0) {
      const first = this.#kept[0]
      if (!this.#tryFirst(patienceMs) && this.#kept[0] === first) return
    }
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = null
      this.flush(0)
      if (this.#kept.length > 0) this.#retryLater()
    }, MAX_RETRY_MS).unref()
  }

  /** True when the first of the kept lines is done with: written, or lost with the reader. */
  #tryFirst(patienceMs: number): boolean {
    if (!this.#isMidLine && !this.#turn.take(patienceMs)) return false
    const isDone = this.#turn.isGone || this.#writeFirst(patienceMs)
    this.#isMidLine &&= !isDone
    if (isDone) this.#kept.shift()
    if (!this.#isMidLine) this.#turn.release()
    return isDone
  }

  /** False when it is not all written within `patienceMs`; what was written is off the line. */
  #writeFirst(patienceMs: number): boolean {
    let rest = this.#kept[0] as Buffer
    // Whoever wrote last was killed, or the disk was full, within a line: it ends here.
    if (!this.#isMidLine && this.#turn.isLineBroken) rest = Buffer.concat([LINE_END, rest])
    const deadline = performance.now() + patienceMs
    let retryMs = 1
    try {
      while (rest.length > 0) {
        const length = this.#writeSome(rest)
        rest = rest.subarray(length)
        if (length > 0) {
          this.#kept[0] = rest
          this.#isMidLine = true
          retryMs = 1
        } else {
          if (performance.now() >= deadline) return false
          sleep(retryMs)
          retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)
        }
      }
    } catch (error) {
      this.#onWriteError(error as NodeJS.ErrnoException)
    }
    return true
  }

  /** 0 when the pipe is full. The line counts as broken for as long as this thread may be killed in it. */
  #writeSome(bytes: Buffer): number {
    const wasBroken = this.#turn.isLineBroken
    this.#turn.isLineBroken = true
    let length = 0
    try {
      length = writeSync(this.#fd, bytes)
    } catch (error) {
      if (!this.#isMidLine) this.#turn.isLineBroken = wasBroken
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      return 0
    }
    if (length === bytes.length) this.#turn.isLineBroken = false
    return length
  }

  #onWriteError(error: NodeJS.ErrnoException): void {
    // A full disk may be emptied: only this line is lost, and the next one is tried.
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return
    if (this.#turn.declareGone()) this.#onGone(error)
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

function sleep(ms: number): void {
  Atomics.wait(sleeper, 0, 0, ms)
}
