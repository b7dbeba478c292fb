import { isIPv6 } from 'node:net'
import type { EndpointAddress } from '@rr/core'

/**
 * What a client is known by: its IPv4 address, or the prefix of its IPv6 address, because one
 * customer of a provider has a whole /64 to choose addresses from (RFC 6177 §2). An IPv4 address in
 * IPv6 form (`::ffff:192.0.2.1`) is the IPv4 address. All peers of a Unix socket are one.
 */
export function clientKey(peer: EndpointAddress, ipv6PrefixBits: number): string {
  const { address, family } = peer
  if (family !== 'IPv6') return address
  const plain = withoutZone(address)
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)
  if (mapped !== null) return mapped[1]!
  return isIPv6(plain) ? prefixOf(plain, ipv6PrefixBits) : address
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%')
  return zone === -1 ? address : address.slice(0, zone)
}

function prefixOf(address: string, bits: number): string {
  const [head = '', tail] = address.split('::')
  const first = groupsOf(head)
  const last = tail === undefined ? [] : groupsOf(tail)
  const zeros = new Array<number>(8 - first.length - last.length).fill(0)
  const groups = [...first, ...zeros, ...last].map((group, index) => {
    const kept = Math.min(16, Math.max(0, bits - index * 16))
    return group & (0xffff << (16 - kept))
  })
  return groups.map((group) => (group & 0xffff).toString(16)).join(':')
}

/** 16-bit groups; an IPv4 address at the end counts as two. */
function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}
