import type { Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib'
import { type BodySource, cancelledError } from './body-source.ts'
import { RrError } from './errors.ts'

/** More than one coding is rare, more than two is somebody trying how much work one request can be. */
const MAX_CODINGS = 2
/** A content coding in zstd needs no larger window than 8 MiB (RFC 9659 §3); zlib's default is 128. */
const ZSTD_WINDOW_LOG = 23

type Inflater = Transform & { readonly bytesWritten: number }

const INFLATERS: ReadonlyMap<string, () => Inflater> = new Map<string, () => Inflater>([
  ['gzip', createGunzip],
  // RFC 9110 §8.4.1.3.
  ['x-gzip', createGunzip],
  // Zlib's format: bare deflate data under this name is a mistake of some clients (RFC 9110 §8.4.1.2).
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  [
    'zstd',
    () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
  ],
])
/** Sent with 415, so that a client can tell which codings it may use (RFC 7694 §3). */
const ACCEPTED = 'gzip, deflate, br, zstd'

/**
 * Undoes the codings of a body (RFC 9110 §8.4), the last one first, while it is read.
 *
 * @param maxBytes the most that it may grow to, at each coding
 * @throws RrError RR_MEDIA_TYPE_UNSUPPORTED (415) for a coding that is not known, or for more than two
 */
export function decodeBody(
  source: BodySource,
  contentEncoding: string,
  maxBytes: number,
): BodySource {
  const codings = contentEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > MAX_CODINGS) throw unsupported('more than two content codings')
  const inflaters = codings.map((coding) => INFLATERS.get(coding))
  if (inflaters.includes(undefined)) throw unsupported('a content coding that is not known')
  return inflaters.reduceRight(
    (encoded, inflater) => new InflatedBody(encoded, inflater as () => Inflater, maxBytes),
    source,
  )
}

function unsupported(what: string): RrError {
  return new RrError('RR_MEDIA_TYPE_UNSUPPORTED', `the request body has ${what}`, {
    headers: { 'accept-encoding': ACCEPTED },
  })
}

/**
 * A body as it is inflated. The next chunk goes into the inflater when all that the one before gave
 * has been read, and the inflater itself stops at 64 KiB of output: however much a body would grow
 * to, no more of it than that exists at a time.
 */
class InflatedBody implements BodySource {
  readonly #source: BodySource
  readonly #inflater: Inflater
  readonly #maxBytes: number
  #fedBytes = 0
  #length = 0
  /** The source has ended. */
  #isFed = false
  /** The chunk fed last has not been used up. */
  #isBusy = false
  #isEnded = false
  #error: Error | null = null
  #wake: (() => void) | null = null

  constructor(source: BodySource, inflater: () => Inflater, maxBytes: number) {
    this.#source = source
    this.#maxBytes = maxBytes
    this.#inflater = inflater()
    const notice = (): void => this.#notice()
    this.#inflater.on('readable', notice)
    this.#inflater.on('end', () => {
      this.#isEnded = true
      this.#notice()
    })
    this.#inflater.on('error', (error) => {
      this.#error ??= broken(error)
      this.#notice()
    })
  }

  async read(): Promise<Uint8Array | null> {
    try {
      for (;;) {
        if (this.#error !== null) throw this.#error
        const chunk = this.#inflater.read() as Buffer | null
        if (chunk !== null) return this.#count(chunk)
        if (this.#isEnded) return this.#end()
        if (this.#isBusy || this.#isFed) await this.#event()
        else await this.#feed()
      }
    } catch (error) {
      this.#error ??= error as Error
      this.cancel()
      throw error
    }
  }

  cancel(): void {
    this.#error ??= cancelledError()
    this.#inflater.destroy()
    this.#source.cancel()
    this.#notice()
  }

  #count(chunk: Buffer): Uint8Array {
    this.#length += chunk.length
    if (this.#length > this.#maxBytes) {
      const message = `the request body inflates to more than ${this.#maxBytes} bytes`
      throw new RrError('RR_BODY_TOO_LARGE', message)
    }
    return chunk
  }

  /** The coding has ended: the body has to end with it. */
  async #end(): Promise<null> {
    if (this.#inflater.bytesWritten < this.#fedBytes) throw broken(null)
    while (!this.#isFed) {
      const rest = await this.#source.read()
      if (rest === null) this.#isFed = true
      else if (rest.length > 0) throw broken(null)
    }
    this.#inflater.destroy()
    return null
  }

  async #feed(): Promise<void> {
    const chunk = await this.#source.read()
    if (chunk === null) {
      this.#isFed = true
      this.#inflater.end()
      return
    }
    this.#fedBytes += chunk.length
    this.#isBusy = true
    this.#inflater.write(chunk, () => {
      this.#isBusy = false
      this.#notice()
    })
  }

  #event(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #notice(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}

function broken(cause: Error | null): RrError {
  return new RrError(
    'RR_BODY_MALFORMED',
    'the request body is not what its content-encoding says',
    cause === null ? undefined : { cause },
  )
}
