import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type AddressInfo, createServer, type ListenOptions } from 'node:net'
import { RrError } from '@rr/core'
import { authorityOf } from './http-url.ts'

/**
 * With SO_REUSEPORT the kernel lets unrelated servers of one user share a port silently, each
 * getting part of the connections. Two checks keep that from happening by mistake:
 *
 * 1. Before the workers start, the main thread binds the port alone and lets go of it. That fails
 *    when anybody listens there, and is how most mistakes are found.
 * 2. Two servers that start at the same moment can both pass. So once the workers listen, the
 *    kernel's table is searched for a listening socket on the same address that is not this
 *    process's. Whichever of the two looks last sees the other, so at least one gives up.
 */

/** What `probeAddress` found out. */
export interface ProbedAddress {
  /** The address that the host name stands for: resolved once, so that all workers agree. */
  readonly address: string
  /** Whether threads can share a port on this platform. */
  readonly canShare: boolean
}

/** How a platform or an old kernel says that it has no SO_REUSEPORT (setsockopt(2), libuv). */
const NO_SHARING: ReadonlySet<string> = new Set([
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOPROTOOPT',
  'ENOSYS',
  'EINVAL',
])

/**
 * Binds an address alone for a moment.
 *
 * @param bind binds and lets go; tests stand in for other platforms with it
 * @throws RrError RR_BIND_FAILED when it is in use, not permitted or not this machine's, or when the
 *   system has no socket left to find out with
 */
export async function probeAddress(
  host: string,
  port: number,
  bind: typeof bindForAMoment = bindForAMoment,
): Promise<ProbedAddress> {
  try {
    const address = await bind({ host, port, exclusive: true })
    return { address, canShare: await canShare(address, bind) }
  } catch (error) {
    throw bindError(error as NodeJS.ErrnoException, host, port)
  }
}

async function canShare(address: string, bind: typeof bindForAMoment): Promise<boolean> {
  try {
    await bind({ host: address, port: 0, exclusive: true, reusePort: true })
    return true
  } catch (error) {
    // Any other failure, such as no descriptor left, says nothing about the platform.
    if (NO_SHARING.has((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

/** Resolves with the address that was bound; rejects with the system's error. */
function bindForAMoment(options: ListenOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen({ ...options, backlog: 1 }, () => {
      const { address } = server.address() as AddressInfo
      server.close(() => resolve(address))
    })
  })
}

/** The error for an address that can't be listened on. */
export function bindError(cause: NodeJS.ErrnoException, host: string, port: number): RrError {
  const why = BIND_REASONS[cause.code ?? ''] ?? cause.message
  const where = authorityOf(host, port)
  return new RrError('RR_BIND_FAILED', `cannot listen on ${where}: ${why}`, { cause })
}

const BIND_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is already in use (EADDRINUSE)',
  EACCES: 'no permission to use the port (EACCES)',
  EADDRNOTAVAIL: 'the address is not one of this machine (EADDRNOTAVAIL)',
  ENOTFOUND: 'the host name is not known (ENOTFOUND)',
}

/**
 * Checks that no other process listens on an address that this one listens on.
 *
 * @throws RrError RR_BIND_FAILED
 */
export function checkPortIsOurs(host: string, port: number, procRoot = '/proc/self'): void {
  const inodes = new Set<string>()
  let listeners: TcpListener[]
  try {
    addSocketInodes(procRoot, inodes)
    listeners = readTcpListeners(procRoot).filter((listener) => listener.port === port)
    // A worker that is replaced meanwhile closes one socket and opens another: both are ours.
    addSocketInodes(procRoot, inodes)
  } catch {
    // Without /proc, or without the right to read it, the first check stands alone.
    return
  }
  if (!hasForeignListener(listeners, inodes)) return
  const cause = Object.assign(new Error(`another process listens on port ${port} as well`), {
    code: 'EADDRINUSE',
  })
  throw bindError(cause, host, port)
}

/** A listening socket in the kernel's table. */
export interface TcpListener {
  /** As the table writes it: hexadecimal, in the byte order of the machine. */
  readonly address: string
  readonly port: number
  readonly inode: string
}

/** Sockets share connections only on exactly the same address: others are not looked at. */
export function hasForeignListener(
  listeners: readonly TcpListener[],
  ownInodes: ReadonlySet<string>,
): boolean {
  const ownAddresses = new Set<string>()
  for (const { address, inode } of listeners) if (ownInodes.has(inode)) ownAddresses.add(address)
  return listeners.some(({ address, inode }) => ownAddresses.has(address) && !ownInodes.has(inode))
}

const LISTEN_STATE = '0A'

/** Parses the format of /proc/net/tcp and tcp6 (proc_pid_net(5)); lines that don't fit are left out. */
export function parseTcpTable(text: string): TcpListener[] {
  const listeners: TcpListener[] = []
  for (const line of text.split('\n')) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    if (state !== LISTEN_STATE || local === undefined || inode === undefined) continue
    const [address, port] = local.split(':')
    if (address === undefined || port === undefined) continue
    listeners.push({ address, port: Number.parseInt(port, 16), inode })
  }
  return listeners
}

function readTcpListeners(procRoot: string): TcpListener[] {
  const listeners = parseTcpTable(readFileSync(`${procRoot}/net/tcp`, 'latin1'))
  try {
    listeners.push(...parseTcpTable(readFileSync(`${procRoot}/net/tcp6`, 'latin1')))
  } catch {
    // A kernel without IPv6 has no such file.
  }
  return listeners
}

function addSocketInodes(procRoot: string, inodes: Set<string>): void {
  for (const descriptor of readdirSync(`${procRoot}/fd`)) {
    const inode = socketInode(`${procRoot}/fd/${descriptor}`)
    if (inode !== null) inodes.add(inode)
  }
}

function socketInode(link: string): string | null {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? null
  } catch {
    // Closed since the folder was read.
    return null
  }
}
