import type { TlsFacts } from '@rr/core'
import { crc32c } from './crc32c.ts'
import type { ProxyFault } from './proxy-outcome.ts'

/** The extensions of a header of version 2: type, length, value (proxy-protocol.txt §2.2.1 to §2.2.7). */

const ALPN = 0x01
const AUTHORITY = 0x02
const CRC32C = 0x03
const UNIQUE_ID = 0x05
const SSL = 0x20
const SSL_VERSION = 0x21
const SSL_CIPHER = 0x23

/** Flag of the SSL field: the client came over TLS. */
const CLIENT_SSL = 1
/** The SSL field's flags and result, before its own TLVs. */
const SSL_FIXED_BYTES = 5
const MAX_UNIQUE_ID_BYTES = 128
const MAX_AUTHORITY_BYTES = 255

/** What the extensions come to. */
export type ProxyTlvs =
  | { readonly tls: TlsFacts | null; readonly fault: null }
  | { readonly tls: null; readonly fault: ProxyFault }

/** Where values lie in the header, by type. */
type Values = Map<number, Uint8Array>

/**
 * @param bytes the whole header, which its checksum covers
 * @param start where its extensions begin
 */
export function readProxyTlvs(bytes: Uint8Array, start: number): ProxyTlvs {
  const values = readValues(bytes.subarray(start))
  if (values === null || !hasRightLengths(values)) return { tls: null, fault: 'tlv' }
  const checksum = values.get(CRC32C)
  if (checksum !== undefined) {
    const expected = new DataView(checksum.buffer, checksum.byteOffset).getUint32(0)
    if (crc32c(bytes, checksum.byteOffset - bytes.byteOffset) !== expected) {
      return { tls: null, fault: 'checksum' }
    }
  }
  const ssl = values.get(SSL)
  if (ssl === undefined) return { tls: null, fault: null }
  const inner = readValues(ssl.subarray(SSL_FIXED_BYTES))
  if (inner === null) return { tls: null, fault: 'tlv' }
  if ((ssl[0]! & CLIENT_SSL) === 0) return { tls: null, fault: null }
  return { tls: tlsFacts(values, inner), fault: null }
}

function tlsFacts(values: Values, inner: Values): TlsFacts {
  return {
    protocol: readText(inner.get(SSL_VERSION)) ?? '',
    cipher: readText(inner.get(SSL_CIPHER)) ?? '',
    alpnProtocol: readText(values.get(ALPN)),
    servername: readText(values.get(AUTHORITY)),
  }
}

/** The first value of each type; null for one that is cut short. */
function readValues(bytes: Uint8Array): Values | null {
  const values: Values = new Map()
  for (let position = 0; position < bytes.length; ) {
    if (position + 3 > bytes.length) return null
    const type = bytes[position]!
    const end = position + 3 + ((bytes[position + 1]! << 8) | bytes[position + 2]!)
    if (end > bytes.length) return null
    // A second checksum could be the one that is checked or the one that is not.
    if (type === CRC32C && values.has(type)) return null
    if (!values.has(type)) values.set(type, bytes.subarray(position + 3, end))
    position = end
  }
  return values
}

function hasRightLengths(values: Values): boolean {
  const lengthOf = (type: number, other: number): number => values.get(type)?.length ?? other
  return (
    lengthOf(CRC32C, 4) === 4 &&
    lengthOf(SSL, SSL_FIXED_BYTES) >= SSL_FIXED_BYTES &&
    lengthOf(UNIQUE_ID, 0) <= MAX_UNIQUE_ID_BYTES &&
    lengthOf(AUTHORITY, 0) <= MAX_AUTHORITY_BYTES
  )
}

/** Visible ASCII, or null: it gets into logs and URLs. Internationalised names come as A-labels. */
function readText(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined || bytes.length === 0) return null
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  return /^[!-~]+$/.test(text) ? text : null
}
