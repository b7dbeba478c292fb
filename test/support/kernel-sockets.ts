import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** `st` of /proc/net/tcp: ESTABLISHED and CLOSE_WAIT, FIN_WAIT1 and 2, LAST_ACK and CLOSING. */
const CONNECTED = new Set(['01', '08', '04', '05', '09', '0B'])

/**
 * TCP connections to `port` of this machine that a process holds a descriptor of, as the kernel has
 * them. One that still waits in a listening socket's queue has no inode yet, and a client's end has
 * the port on its other side: neither counts. Linux only.
 */
export function kernelConnections(port: number, pid: number = process.pid): number {
  const inodes = socketInodes(pid)
  let count = 0
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const [, local = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/)
    if (Number.parseInt(local.split(':')[1] ?? '', 16) !== port) continue
    if (CONNECTED.has(state) && inodes.has(inode)) count++
  }
  return count
}

function socketInodes(pid: number): Set<string> {
  const inodes = new Set<string>()
  const folder = `/proc/${pid}/fd`
  for (const fd of readdirSync(folder)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1]
      if (inode !== undefined) inodes.add(inode)
    } catch {
      // Closed since the folder was read.
    }
  }
  return inodes
}
