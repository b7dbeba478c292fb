import { type EndpointAddress, formatIpAddress, isIpv4, parseIpAddress } from '@rr/core'
import type { ProxyFault, ProxyOutcome } from './proxy-outcome.ts'

/** Version 1 of the PROXY protocol: a line of text (proxy-protocol.txt §2.1). */

/** `PROXY ` */
export const PROXY_V1_PREFIX: Uint8Array = Buffer.from('PROXY ', 'latin1')

/** The longest line, its CRLF included. */
export const MAX_PROXY_V1_BYTES = 107

const CR = 0x0d
const LF = 0x0a
/** No leading zeros, which some take for octal. */
const PORT = /^(?:0|[1-9]\d{0,4})$/

/**
 * Finds the end of the line, so that nothing is read before it is whole.
 *
 * @returns where it ends; null while it may still come; or why it never will
 */
export function proxyV1End(bytes: Uint8Array): number | null | ProxyFault {
  const length = Math.min(bytes.length, MAX_PROXY_V1_BYTES)
  for (let i = 0; i < length; i++) {
    if (bytes[i] === LF) return 'line'
    if (bytes[i] !== CR) continue
    if (i + 2 > MAX_PROXY_V1_BYTES) return 'too-long'
    if (i + 1 === bytes.length) return null
    return bytes[i + 1] === LF ? i + 2 : 'line'
  }
  return length === MAX_PROXY_V1_BYTES ? 'too-long' : null
}

/** @param line the whole line, from its prefix to its CRLF */
export function parseProxyV1(line: Uint8Array): ProxyOutcome {
  const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString('latin1')
  const parts = text.slice(PROXY_V1_PREFIX.length, -2).split(' ')
  const [family, source = '', destination = '', sourcePort = '', destinationPort = ''] = parts
  // What follows UNKNOWN says nothing, and is anything.
  if (family === 'UNKNOWN') return accepted(null, null)
  if (parts.length !== 5 || (family !== 'TCP4' && family !== 'TCP6')) return FAULT
  const from = endpoint(family, source, sourcePort)
  const to = endpoint(family, destination, destinationPort)
  return from === null || to === null ? FAULT : accepted(from, to)
}

const FAULT: ProxyOutcome = { header: null, fault: 'line' }

function accepted(
  source: EndpointAddress | null,
  destination: EndpointAddress | null,
): ProxyOutcome {
  return { header: { version: 1, source, destination, tls: null }, fault: null }
}

function endpoint(family: 'TCP4' | 'TCP6', text: string, port: string): EndpointAddress | null {
  const address = parseIpAddress(text)
  if (address === null || text.includes(':') !== (family === 'TCP6')) return null
  if (!PORT.test(port) || Number(port) > 65_535) return null
  return {
    address: formatIpAddress(address),
    port: Number(port),
    family: isIpv4(address) ? 'IPv4' : 'IPv6',
  }
}
