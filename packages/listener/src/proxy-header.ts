import type { ProxyFault, ProxyOutcome } from './proxy-outcome.ts'
import { PROXY_V1_PREFIX, parseProxyV1, proxyV1End } from './proxy-v1.ts'
import {
  PROXY_V2_FIXED_BYTES,
  PROXY_V2_SIGNATURE,
  parseProxyV2,
  readProxyV2Start,
} from './proxy-v2.ts'

/**
 * The PROXY protocol (haproxy.org, doc/proxy-protocol.txt), receiving side. Bytes in; the header,
 * or why there is none, out. Never throws, and says the same however the bytes were cut.
 */

/**
 * Longest header of version 2 that is taken. One may announce 65,551 bytes, all of which would have
 * to be kept for the checksum; what proxies send is some hundred bytes, or a few thousand with a
 * client's certificate.
 */
export const MAX_PROXY_HEADER_BYTES = 16_384

/** Collects a header from the first bytes of a connection. */
export class ProxyHeaderParser {
  /** What came of it; null while bytes are missing. */
  outcome: ProxyOutcome | null = null
  #kept: Uint8Array = new Uint8Array(0)
  #length = 0

  /** True once something has come. */
  get hasPart(): boolean {
    return this.#length > 0
  }

  /**
   * Takes the next bytes, which are borrowed.
   *
   * @returns how many of them belong to the header, or to what was taken for one
   */
  read(bytes: Uint8Array): number {
    if (this.outcome !== null) return 0
    const earlier = this.#length
    // Most headers come whole, and are read where they lie.
    const { end, outcome } = parse(earlier === 0 ? bytes : this.#keep(bytes))
    this.outcome = outcome
    if (outcome !== null) return Math.min(end - earlier, bytes.length)
    if (earlier === 0) this.#keep(bytes)
    return bytes.length
  }

  #keep(bytes: Uint8Array): Uint8Array {
    const length = this.#length + bytes.length
    if (length > this.#kept.length) {
      // What came before is no whole header, so it is bounded; what comes is one read of a socket.
      const larger = new Uint8Array(Math.max(length, this.#kept.length * 2, 256))
      larger.set(this.#kept.subarray(0, this.#length))
      this.#kept = larger
    }
    this.#kept.set(bytes, this.#length)
    this.#length = length
    return this.#kept.subarray(0, length)
  }
}

interface Parsed {
  /** Where the header ends. */
  readonly end: number
  readonly outcome: ProxyOutcome | null
}

const INCOMPLETE: Parsed = { end: 0, outcome: null }

/** @param bytes the first ones of a connection, all that have come so far */
function parse(bytes: Uint8Array): Parsed {
  if (startsLike(bytes, PROXY_V2_SIGNATURE)) return parseVersion2(bytes)
  if (startsLike(bytes, PROXY_V1_PREFIX)) return parseVersion1(bytes)
  return failed('signature')
}

function parseVersion1(bytes: Uint8Array): Parsed {
  const end = proxyV1End(bytes)
  if (typeof end === 'string') return failed(end)
  return end === null ? INCOMPLETE : { end, outcome: parseProxyV1(bytes.subarray(0, end)) }
}

function parseVersion2(bytes: Uint8Array): Parsed {
  if (bytes.length < PROXY_V2_FIXED_BYTES) return INCOMPLETE
  const { payloadBytes, fault } = readProxyV2Start(bytes)
  if (fault !== null) return failed(fault)
  const end = PROXY_V2_FIXED_BYTES + payloadBytes
  if (end > MAX_PROXY_HEADER_BYTES) return failed('too-long')
  return bytes.length < end ? INCOMPLETE : { end, outcome: parseProxyV2(bytes.subarray(0, end)) }
}

function failed(fault: ProxyFault): Parsed {
  return { end: Number.POSITIVE_INFINITY, outcome: { header: null, fault } }
}

/** True while nothing has come that `start` does not begin with. */
function startsLike(bytes: Uint8Array, start: Uint8Array): boolean {
  const length = Math.min(bytes.length, start.length)
  for (let i = 0; i < length; i++) if (bytes[i] !== start[i]) return false
  return true
}
