/**
 * System calls on sockets that Node.js has no function for, through `node:ffi`. Linux with Node.js
 * 26.1 or later only, and not where it was built without or is run with `--no-experimental-ffi` or
 * `--permission`: whoever uses them must get by without.
 */

/** What can be done with a descriptor. */
export interface SocketCalls {
  /** Another descriptor of the same file, closed in child processes; null when there is none left. */
  duplicate(descriptor: number): number | null
  close(descriptor: number): void
  /**
   * Makes the kernel drop the first packet of each new connection to a listening socket, while those
   * whose handshake has begun complete it. Their clients try again after a second. The way to empty
   * an accept queue for good before the socket is closed, which resets what is in it.
   *
   * @returns false when the system refused
   */
  shutHandshakes(descriptor: number): boolean
}

type Ffi = typeof import('node:ffi')

// Of Linux on the processors below; others differ in some (socket(7), fcntl(2), linux/filter.h).
const PROCESSORS: ReadonlySet<string> = new Set(['x64', 'arm64'])
const F_DUPFD_CLOEXEC = 1030
const SOL_SOCKET = 1
const SO_ATTACH_FILTER = 26

/** Standard streams keep theirs. */
const LEAST_DESCRIPTOR = 3

let loaded: SocketCalls | null | undefined

/** The calls, or null where there are none. */
export function socketCalls(): SocketCalls | null {
  loaded ??= isSupported() ? load() : null
  return loaded
}

function isSupported(): boolean {
  return process.platform === 'linux' && PROCESSORS.has(process.arch)
}

function load(): SocketCalls | null {
  try {
    const ffi = requireQuietly()
    return ffi === undefined ? null : bind(ffi)
  } catch {
    return null
  }
}

/** Node warns that the module is experimental. That is ours to know, and says nothing to users. */
function requireQuietly(): Ffi | undefined {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule('node:ffi') as Ffi | undefined
  } finally {
    process.emitWarning = emitWarning
  }
}

function bind(ffi: Ffi): SocketCalls {
  const { functions } = ffi.dlopen(null, {
    close: { arguments: ['i32'], return: 'i32' },
    fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    setsockopt: { arguments: ['i32', 'i32', 'i32', 'pointer', 'u32'], return: 'i32' },
  })
  return {
    duplicate(descriptor) {
      const copy = functions.fcntl(descriptor, F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR)
      return copy < 0 ? null : copy
    },
    close(descriptor) {
      functions.close(descriptor)
    },
    shutHandshakes(descriptor) {
      const filter = handshakeFilter()
      // struct sock_fprog: how many instructions, and where they are.
      const program = new DataView(new ArrayBuffer(16))
      program.setUint16(0, filter.byteLength / INSTRUCTION_BYTES, true)
      program.setBigUint64(8, ffi.getRawPointer(filter), true)
      const pointer = ffi.getRawPointer(program)
      const result = functions.setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, pointer, 16)
      return result === 0
    },
  }
}

const INSTRUCTION_BYTES = 8

/**
 * A packet filter (linux/filter.h) over a TCP segment: refuses those with the flag SYN, which only
 * the first of a connection has (RFC 9293 §3.5), and takes all others.
 */
function handshakeFilter(): DataView {
  const instructions = [
    { code: 0x30, jumpFalse: 0, value: 13 }, // load the byte of the flags
    { code: 0x45, jumpFalse: 1, value: 0x02 }, // unless SYN is set, skip one
    { code: 0x06, jumpFalse: 0, value: 0 }, // take no byte of it
    { code: 0x06, jumpFalse: 0, value: 0xffff_ffff }, // take all
  ]
  const filter = new DataView(new ArrayBuffer(instructions.length * INSTRUCTION_BYTES))
  instructions.forEach(({ code, jumpFalse, value }, index) => {
    const at = index * INSTRUCTION_BYTES
    filter.setUint16(at, code, true)
    filter.setUint8(at + 3, jumpFalse)
    filter.setUint32(at + 4, value, true)
  })
  return filter
}
