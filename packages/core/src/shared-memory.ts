import { RrError } from './errors.ts'

/** Most bytes that the blocks of one server may have together: 256 MiB. */
export const MAX_SHARED_BYTES: number = 256 * 1024 * 1024
const MAX_BLOCKS = 1024
const MAX_NAME_LENGTH = 256

/** Gives the block of a name, the same for every thread that serves. */
export type SharedMemoryProvider = (name: string, bytes: number) => SharedArrayBuffer

/** Holds blocks by name. What runs the threads has one, so that all of them get the same blocks. */
export class SharedMemoryStore {
  readonly #blocks: Map<string, SharedArrayBuffer> = new Map()
  #bytes = 0

  /** @throws RrError RR_SHARED_MEMORY */
  get(name: string, bytes: number): SharedArrayBuffer {
    const block = this.#blocks.get(name)
    if (block !== undefined) {
      checkSize(name, block, bytes)
      return block
    }
    this.#checkNew(name, bytes)
    const made = new SharedArrayBuffer(bytes)
    this.#blocks.set(name, made)
    this.#bytes += bytes
    return made
  }

  #checkNew(name: string, bytes: number): void {
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH) {
      throw refused(`a name has 1 to ${MAX_NAME_LENGTH} characters`)
    }
    if (!Number.isInteger(bytes) || bytes < 1) {
      throw refused(`'${name}': a size is a whole number of bytes from 1, not ${String(bytes)}`)
    }
    if (this.#bytes + bytes > MAX_SHARED_BYTES) {
      throw refused(
        `'${name}': ${bytes} bytes with the ${this.#bytes} in use are over ${MAX_SHARED_BYTES}`,
      )
    }
    if (this.#blocks.size >= MAX_BLOCKS) throw refused(`'${name}': there are ${MAX_BLOCKS} blocks`)
  }
}

function checkSize(name: string, block: SharedArrayBuffer, bytes: number): void {
  if (block.byteLength === bytes) return
  throw refused(`'${name}' has ${block.byteLength} bytes, and was asked for with ${String(bytes)}`)
}

function refused(reason: string): RrError {
  return new RrError('RR_SHARED_MEMORY', `shared memory: ${reason}`)
}

const ownBlocks = new SharedMemoryStore()
let provide: SharedMemoryProvider = (name, bytes) => ownBlocks.get(name, bytes)

/**
 * The block of memory of this name: the same in every worker of the server and in the threads that
 * replace them, all zero at first, kept until the server ends. In a process that serves from one
 * thread (`listen()`), a block of that thread. Waits for the thread that started the worker when the
 * name is new to it, so ask while the application loads; a name already known costs a look-up.
 * Threads that the application starts by itself, or of a compute pool, are given the block instead.
 *
 * @param name 1 to 256 characters; packages put their own name first
 * @param bytes from 1; the same wherever this name is asked for
 * @throws RrError RR_SHARED_MEMORY for another size than the block has, for a bad name or size, over
 *   256 MiB or 1024 blocks in all, or when the starting thread has not answered in 10 s
 *
 * @example
 * const visits = new BigInt64Array(sharedMemory('my-app.visits', 8))
 * export default () => text(`visit ${Atomics.add(visits, 0, 1n) + 1n}`)
 */
export function sharedMemory(name: string, bytes: number): SharedArrayBuffer {
  return provide(name, bytes)
}

/** Sets where this thread's blocks come from. For what starts threads, before the application loads. */
export function provideSharedMemory(provider: SharedMemoryProvider): void {
  provide = provider
}
