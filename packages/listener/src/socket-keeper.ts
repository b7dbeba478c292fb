import { fstatSync } from 'node:fs'
import { type SocketCalls, socketCalls } from './socket-calls.ts'

/** A listening socket as the thread that opened it knows it. */
export interface SocketFacts {
  /** Null where Node.js does not tell. */
  readonly descriptor: number | null
  /** Of the socket: a descriptor that was closed meanwhile may stand for another file. */
  readonly inode: number
}

/**
 * Holds on to a listening socket from the main thread, so that what waits in its accept queue
 * survives the thread that accepts from it: a worker that is replaced, or that dies.
 *
 * Every thread that listens has a descriptor of its own, as one that closes it must not close it
 * for others. Without the system calls for that nothing is kept, and `lend` gives null.
 */
export class SocketKeeper {
  readonly #calls: SocketCalls | null
  readonly #isShared: boolean
  #descriptor: number | null = null

  /**
   * @param isShared whether it is all workers' socket, and none can open another
   * @param calls null stands for a system without them, in tests
   */
  constructor(isShared = false, calls: SocketCalls | null = socketCalls()) {
    this.#isShared = isShared
    this.#calls = calls
  }

  /** True while a socket is kept. */
  get isKeeping(): boolean {
    return this.#descriptor !== null
  }

  /** Keeps the socket that a worker has opened, unless one is kept already. */
  keep({ descriptor, inode }: SocketFacts): void {
    if (this.#calls === null || this.#descriptor !== null || descriptor === null) return
    const copy = this.#calls.duplicate(descriptor)
    if (copy === null) return
    if (inodeOf(copy) === inode) this.#descriptor = copy
    else this.#calls.close(copy)
  }

  /** A descriptor for a worker, which closes it; null when nothing is kept. */
  lend(): number | null {
    if (this.#descriptor === null) return null
    const copy = this.#calls!.duplicate(this.#descriptor)
    // The worker opens a socket of its own then, and nobody would accept from this one any more.
    if (copy === null && !this.#isShared) this.release()
    return copy
  }

  /** Takes one back that its worker has not come to open. */
  takeBack(descriptor: number): void {
    this.#calls!.close(descriptor)
  }

  /** Lets go of the socket. */
  release(): void {
    if (this.#descriptor !== null) this.#calls!.close(this.#descriptor)
    this.#descriptor = null
  }
}

/** Of an open descriptor; 0 when it is none. */
export function inodeOf(descriptor: number): number {
  try {
    return fstatSync(descriptor).ino
  } catch {
    return 0
  }
}
