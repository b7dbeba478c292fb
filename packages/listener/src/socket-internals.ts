import { type Server, Socket } from 'node:net'

// What node:net can do and does not offer for the sockets of a server. Nothing else in rr touches
// its insides. Each function does without where a version of Node has them no more; the tests say
// so, since then it is slower and a slow client is told from a stalled one less exactly.

/** What `new net.Socket({ onread })` sets, which a server has no way to pass on. */
interface Internals extends Socket {
  readonly _handle: SocketHandle | null
  [key: symbol]: unknown
}

interface SocketHandle {
  /** Bytes that were written, and of those the ones that the kernel has not taken yet. */
  readonly bytesWritten?: number
  readonly writeQueueSize?: number
  useUserBuffer?(buffer: Uint8Array): void
}

const symbols = Object.getOwnPropertySymbols(new Socket())
const BUFFER = symbols.find(({ description }) => description === 'kBuffer')
const BUFFER_CALLBACK = symbols.find(({ description }) => description === 'kBufferCb')

/**
 * Reads a server's socket as its `onread` option would: into `buffer`, and past the stream's queue.
 * `onRead` is called with the socket as `this` and the length of what was read, and returns true.
 * The other events and methods of the socket stay as they are.
 *
 * @returns false where that is impossible: `data` events are the way then
 */
export function readInto(
  socket: Socket,
  buffer: Uint8Array,
  onRead: (this: Socket, length: number) => boolean,
): boolean {
  const internals = socket as Internals
  const handle = internals._handle
  if (BUFFER === undefined || BUFFER_CALLBACK === undefined) return false
  if (typeof handle?.useUserBuffer !== 'function') return false
  handle.useUserBuffer(buffer)
  internals[BUFFER] = buffer
  internals[BUFFER_CALLBACK] = onRead
  return true
}

/**
 * How many bytes of what was written the kernel has taken, also in the middle of a write: a stream
 * tells of one only when the whole of it is gone. Null where that is not known.
 */
export function takenBytes(socket: Socket): number | null {
  const handle = (socket as Internals)._handle
  const written = handle?.bytesWritten
  const queued = handle?.writeQueueSize
  return written === undefined || queued === undefined ? null : written - queued
}

interface ListeningInternals extends Server {
  readonly _handle: ListeningHandle | null
}

interface ListeningHandle {
  readonly fd?: number
  listen?(backlog: number): number
}

/** The descriptor that a server listens on, or null where it is not to be had. */
export function listeningDescriptor(server: Server): number | null {
  const descriptor = (server as ListeningInternals)._handle?.fd
  return descriptor === undefined || descriptor < 0 ? null : descriptor
}

/**
 * Lets no more than one connection wait to be accepted from now on; of others the kernel drops the
 * first packet, and their clients try again after a second (listen(2), a backlog of 0).
 *
 * @returns false where that is impossible
 */
export function shrinkBacklog(server: Server): boolean {
  return (server as ListeningInternals)._handle?.listen?.(0) === 0
}
