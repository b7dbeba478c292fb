/** CRC32C, the Castagnoli polynomial reflected (RFC 9260 Appendix A). */
const TABLE: Uint32Array = (() => {
  const table = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let value = byte
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ ((value & 1) * 0x82f63b78)
    table[byte] = value
  }
  return table
})()

/** The checksum of `bytes`, with the four at `zeroedAt` taken for zeros. */
export function crc32c(bytes: Uint8Array, zeroedAt: number): number {
  let value = 0xffffffff
  for (let i = 0; i < bytes.length; i++) {
    const byte = i >= zeroedAt && i < zeroedAt + 4 ? 0 : bytes[i]!
    value = (value >>> 8) ^ TABLE[(value ^ byte) & 0xff]!
  }
  return (value ^ 0xffffffff) >>> 0
}
