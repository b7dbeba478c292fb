/** A content coding that has copies beside the file. */
export type Precompressed = 'br' | 'zstd' | 'gzip'

/** The endings of the copies' names. */
export const COPY_EXTENSIONS: Readonly<Record<Precompressed, string>> = {
  br: '.br',
  zstd: '.zst',
  gzip: '.gz',
}
