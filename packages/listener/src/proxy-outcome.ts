import type { EndpointAddress, TlsFacts } from '@rr/core'

/** What a proxy says of the connection that it relays. */
export interface ProxyHeader {
  readonly version: 1 | 2
  /** The client's end; null where the proxy speaks for itself or does not say (LOCAL, UNKNOWN). */
  readonly source: EndpointAddress | null
  /** The end that the client connected to; null likewise. */
  readonly destination: EndpointAddress | null
  /** Of the client's TLS, where the proxy ends it and says so. */
  readonly tls: TlsFacts | null
}

/** Why what came is no header. */
export type ProxyFault =
  /** Neither version's first bytes (§2). */
  | 'signature'
  /** No CRLF within 107 bytes (§2.1), or more than `MAX_PROXY_HEADER_BYTES` (§2.2). */
  | 'too-long'
  /** A line that is not as §2.1 has it. */
  | 'line'
  /** A version, command, family or transport that is not assigned (§2.2). */
  | 'unassigned'
  /** Fewer bytes than the addresses of its family take (§2.2). */
  | 'length'
  /** A TLV that goes past the end, has the wrong length, or is a second checksum (§2.2). */
  | 'tlv'
  /** The CRC32C does not match (§2.2.3). */
  | 'checksum'

/** A header, or a fault. */
export type ProxyOutcome =
  | { readonly header: ProxyHeader; readonly fault: null }
  | { readonly header: null; readonly fault: ProxyFault }
