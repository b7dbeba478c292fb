import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'

const DECODERS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
}

/** A body without its content coding, as text; the coding must fit the bytes. */
export function decoded(coding: string | undefined, body: Buffer): string {
  const decode = coding === undefined ? undefined : DECODERS[coding]
  if (coding !== undefined && decode === undefined) throw new Error(`no such coding: ${coding}`)
  return (decode?.(body) ?? body).toString()
}

/** Text of exactly so many bytes that compresses well. */
export function textOf(length: number): string {
  return 'some text that is said again and again. '.repeat(length / 40 + 1).slice(0, length)
}
