import { type EndpointAddress, formatIpAddress, isIpv4 } from '@rr/core'
import type { ProxyFault, ProxyHeader, ProxyOutcome } from './proxy-outcome.ts'
import { readProxyTlvs } from './proxy-tlvs.ts'

/** Version 2 of the PROXY protocol: binary (proxy-protocol.txt §2.2). */

/** CR LF CR LF NUL CR LF `QUIT` LF: what no client of another protocol begins with. */
export const PROXY_V2_SIGNATURE: Uint8Array = Uint8Array.from([
  0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
])

/** Signature, version and command, family and transport, length of what follows. */
export const PROXY_V2_FIXED_BYTES = 16

const VERSION = 2
const LOCAL = 0
const PROXY = 1
const UNSPEC = 0
const INET = 1
const UNIX = 3
const MAX_TRANSPORT = 2

/** Bytes of both addresses and ports, by family. */
const ADDRESS_BYTES = [0, 12, 36, 216] as const

/** Of a Unix socket, which has no address that tells a client from another. */
const UNIX_ENDPOINT: EndpointAddress = Object.freeze({ address: '', port: 0, family: 'unix' })

/** Judges the fixed part, before the rest is waited for. */
export function readProxyV2Start(bytes: Uint8Array): {
  readonly payloadBytes: number
  readonly fault: ProxyFault | null
} {
  const payloadBytes = uint16(bytes, 14)
  const command = bytes[12]! & 15
  const family = bytes[13]! >>> 4
  if (bytes[12]! >>> 4 !== VERSION || command > PROXY) return { payloadBytes, fault: 'unassigned' }
  if (command === LOCAL) return { payloadBytes, fault: null }
  if (family > UNIX || (bytes[13]! & 15) > MAX_TRANSPORT) {
    return { payloadBytes, fault: 'unassigned' }
  }
  const isShort = !isUnspecified(bytes) && payloadBytes < ADDRESS_BYTES[family]!
  return { payloadBytes, fault: isShort ? 'length' : null }
}

/** @param bytes the whole header, whose fixed part has been judged */
export function parseProxyV2(bytes: Uint8Array): ProxyOutcome {
  // The proxy's own connection, or one of a kind that it can't describe: what follows says nothing.
  if ((bytes[12]! & 15) === LOCAL || isUnspecified(bytes)) return accepted(null, null, null)
  const family = bytes[13]! >>> 4
  const tlvs = readProxyTlvs(bytes, PROXY_V2_FIXED_BYTES + ADDRESS_BYTES[family]!)
  if (tlvs.fault !== null) return { header: null, fault: tlvs.fault }
  if (family === UNIX) return accepted(UNIX_ENDPOINT, UNIX_ENDPOINT, tlvs.tls)
  const width = family === INET ? 4 : 16
  const ports = PROXY_V2_FIXED_BYTES + 2 * width
  return accepted(
    endpoint(bytes, PROXY_V2_FIXED_BYTES, width, uint16(bytes, ports)),
    endpoint(bytes, PROXY_V2_FIXED_BYTES + width, width, uint16(bytes, ports + 2)),
    tlvs.tls,
  )
}

function isUnspecified(bytes: Uint8Array): boolean {
  return bytes[13]! >>> 4 === UNSPEC || (bytes[13]! & 15) === UNSPEC
}

function accepted(
  source: EndpointAddress | null,
  destination: EndpointAddress | null,
  tls: ProxyHeader['tls'],
): ProxyOutcome {
  return { header: { version: 2, source, destination, tls }, fault: null }
}

function endpoint(bytes: Uint8Array, at: number, width: number, port: number): EndpointAddress {
  const groups = width === 4 ? [0, 0, 0, 0, 0, 0xffff] : []
  for (let i = at; i < at + width; i += 2) groups.push(uint16(bytes, i))
  return { address: formatIpAddress(groups), port, family: isIpv4(groups) ? 'IPv4' : 'IPv6' }
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}
