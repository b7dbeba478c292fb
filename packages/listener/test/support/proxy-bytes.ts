import { crc32c } from '../../src/crc32c.ts'
import { PROXY_V2_SIGNATURE } from '../../src/proxy-v2.ts'

/** Makes headers of version 2 of the PROXY protocol, right or wrong. */

export interface V2Parts {
  /** Version and command; default 0x21, PROXY. */
  readonly command?: number
  /** Family and transport; default 0x11, TCP over IPv4. */
  readonly family?: number
  readonly addresses?: readonly number[]
  readonly tlvs?: readonly Uint8Array[]
  /** The length announced; default what follows. */
  readonly length?: number
  /** Adds a checksum, or a wrong one. */
  readonly checksum?: 'right' | 'wrong'
}

/** 192.0.2.1:56324 to 198.51.100.2:443. */
export const INET: readonly number[] = [
  ...[192, 0, 2, 1],
  ...[198, 51, 100, 2],
  ...[0xdc, 0x04],
  ...[0x01, 0xbb],
]

/** [2001:db8::1]:1 to [2001:db8::2]:65535. */
export const INET6: readonly number[] = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  ...[0, 1, 0xff, 0xff],
]

export function tlv(type: number, value: string | Uint8Array, length?: number): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  const announced = length ?? bytes.length
  return Buffer.concat([Uint8Array.of(type, announced >>> 8, announced & 255), bytes])
}

export function ssl(client: number, ...inner: Uint8Array[]): Uint8Array {
  return tlv(0x20, Buffer.concat([Uint8Array.of(client, 0, 0, 0, 0), ...inner]))
}

export function v2(parts: V2Parts = {}): Uint8Array {
  const { command = 0x21, family = 0x11, addresses = INET, tlvs = [], checksum } = parts
  const sum = checksum === undefined ? [] : [tlv(0x03, new Uint8Array(4))]
  const payload = Buffer.concat([Uint8Array.from(addresses), ...sum, ...tlvs])
  const length = parts.length ?? payload.length
  const fixed = Uint8Array.of(command, family, length >>> 8, length & 255)
  const bytes = Buffer.concat([PROXY_V2_SIGNATURE, fixed, payload])
  if (checksum !== undefined) {
    const at = 16 + addresses.length + 3
    bytes.writeUInt32BE((crc32c(bytes, at) + (checksum === 'wrong' ? 1 : 0)) >>> 0, at)
  }
  return bytes
}
