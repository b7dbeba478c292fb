import { formatIpAddress, isIpv4, parseIpAddress } from './ip-address.ts'
import type { EndpointAddress } from './transport.ts'

/**
 * What a client is known by where clients are counted: its IPv4 address, or the prefix of its IPv6
 * address, because one customer of a provider has a whole /64 to choose addresses from (RFC 6177
 * §2). An IPv4 address in IPv6 form (`::ffff:192.0.2.1`) is the IPv4 address. All clients without an
 * address, such as those of a Unix socket, are one.
 *
 * @param ipv6PrefixBits 16 to 128
 */
export function clientKey(client: EndpointAddress, ipv6PrefixBits: number): string {
  const { address, family } = client
  if (family !== 'IPv6') return address
  const zone = address.indexOf('%')
  const parsed = parseIpAddress(zone < 0 ? address : address.slice(0, zone))
  if (parsed === null) return address
  if (isIpv4(parsed)) return formatIpAddress(parsed)
  const groups = parsed.map((group, index) => {
    const kept = Math.min(16, Math.max(0, ipv6PrefixBits - index * 16))
    return group & (0xffff << (16 - kept)) & 0xffff
  })
  return groups.map((group) => group.toString(16)).join(':')
}
