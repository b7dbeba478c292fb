import {
  type HeaderBlock,
  type HttpRequest,
  HttpResponse,
  type Middleware,
  type OptionsInput,
  resolveOptions,
  type StreamBody,
} from '@rr/core'
import { type CodingChoice, chooseCoding } from './accept-encoding.ts'
import { CompressedBody } from './compressed-body.ts'
import { isCompressibleType } from './compressible-types.ts'
import { CODINGS, COMPRESSORS, type Compressor, type ContentCoding } from './content-codings.ts'
import { changeFields, fieldValue, HeaderCache, varyWith, withHeaders } from './header-changes.ts'
import { checkFunction, checkKeys, invalidOption } from './option-checks.ts'
import { releaseBody } from './release-body.ts'

const WHERE = 'compression()'

const SIZE = {
  minBytes: {
    type: 'integer',
    default: 1024,
    minimum: 0,
    maximum: 1_073_741_824,
    doc: 'Least size of a body whose size is known; a smaller one fits a packet or two anyway.',
  },
} as const

/**
 * From measurements on JSON of 1 KiB to 1 MiB: gzip 9 takes up to five times as long as 6 for 1 %;
 * br 5 twice as long as 4, and higher ones are for files that are compressed once; zstd 6 takes
 * twice to six times as long as 3 for 10 %.
 */
const LEVELS = {
  gzip: { type: 'integer', default: 6, minimum: 1, maximum: 9, doc: 'Level of gzip.' },
  deflate: { type: 'integer', default: 6, minimum: 1, maximum: 9, doc: 'Level of deflate.' },
  br: { type: 'integer', default: 4, minimum: 0, maximum: 11, doc: 'Quality of Brotli.' },
  // From 20 on the window is larger than the 8 MiB that clients must support (RFC 9659 §3).
  zstd: { type: 'integer', default: 3, minimum: 1, maximum: 19, doc: 'Level of Zstandard.' },
} as const

/**
 * Whole bodies up to this size are compressed at once: at 16 KiB that took 35 to 120 µs, and the
 * event loop was busy for 40 to 190 µs with handing the same body to another thread.
 */
const MAX_SYNC_BYTES = 16_384

/** Fields that a body's bytes are measured by (RFC 9530), or that say a part of it is sent. */
const FIXED_BY = ['content-encoding', 'content-range', 'content-digest', 'repr-digest', 'digest']

/** Announced in Trailer: the digest of the bytes as they are. */
const DIGEST_AFTER = /(?:^|,)\s*(?:content-|repr-)?digest\s*(?:,|$)/i

/** What `compression` takes. */
export interface CompressionOptions {
  /** The codings offered, best first; default zstd, br, gzip, deflate. */
  readonly codings?: readonly ContentCoding[]
  /** Least bytes of a body whose size is known; default 1024. Streams are always compressed. */
  readonly minBytes?: number
  /** Default gzip 6 (1 to 9), deflate 6 (1 to 9), br 4 (0 to 11), zstd 3 (1 to 19). */
  readonly levels?: Readonly<Partial<Record<ContentCoding, number>>>
  /**
   * Whether a media type, in lower case and without parameters, is worth it; default: what the
   * table of mime-db says, and all text, JSON and XML.
   */
  readonly isCompressible?: (mediaType: string) => boolean
}

/**
 * Compresses answers with what the client accepts (RFC 9110 §12.5.3). Streams are flushed after
 * each chunk. Left as they are: bodies of other types, below `minBytes`, with a content-encoding,
 * content-range or digest of their own, of 204, 205 and 206, and those marked
 * `cache-control: no-transform`. A strong ETag becomes a weak one, since the bytes are others now
 * (RFC 9110 §8.8.1). A client that refuses both every coding and plain bodies gets a plain one.
 *
 * Where a page shows a secret beside what the client sent, its length can betray the secret
 * (BREACH): mark such answers `no-transform`, or keep this middleware off their routes.
 *
 * @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID
 * @example
 * composeMiddleware([compression({ levels: { br: 5 } })], handler)
 */
export function compression(options: CompressionOptions = {}): Middleware {
  const compressor = new AnswerCompressor(options)
  return async (request, next) => compressor.answer(request, await next())
}

class AnswerCompressor {
  readonly #codings: readonly ContentCoding[]
  readonly #minBytes: number
  readonly #isCompressible: (mediaType: string) => boolean
  readonly #compressors: Readonly<Record<ContentCoding, Compressor>>
  readonly #varying = new HeaderCache((headers) => changeFields(headers, varyChange(headers)))
  readonly #coded: Readonly<Record<ContentCoding, HeaderCache>>

  constructor(options: CompressionOptions) {
    checkKeys(options, ['codings', 'minBytes', 'levels', 'isCompressible'], WHERE)
    checkFunction(WHERE, 'isCompressible', options.isCompressible)
    this.#codings = checkCodings(options.codings ?? CODINGS)
    this.#minBytes = resolveOptions(SIZE, { minBytes: options.minBytes }, WHERE).minBytes
    this.#isCompressible = options.isCompressible ?? isCompressibleType
    const given = (options.levels ?? {}) as OptionsInput<typeof LEVELS>
    const levels = resolveOptions(LEVELS, given, `${WHERE} levels`)
    this.#compressors = {
      gzip: COMPRESSORS.gzip(levels.gzip),
      deflate: COMPRESSORS.deflate(levels.deflate),
      br: COMPRESSORS.br(levels.br),
      zstd: COMPRESSORS.zstd(levels.zstd),
    }
    const cache = (coding: ContentCoding): HeaderCache =>
      new HeaderCache((headers) => codedHeaders(headers, coding))
    this.#coded = {
      gzip: cache('gzip'),
      deflate: cache('deflate'),
      br: cache('br'),
      zstd: cache('zstd'),
    }
  }

  answer(request: HttpRequest, response: HttpResponse): HttpResponse | Promise<HttpResponse> {
    if (response.status === 304) return this.#notModified(request, response)
    if (!this.#isCandidate(request, response)) return response
    const choice = this.#choose(request)
    const { coding } = choice
    if (coding === null || !this.#isLargeEnough(response, choice)) {
      return withHeaders(response, this.#varying.get(response.headers))
    }
    const headers = this.#coded[coding].get(response.headers)
    if (request.method === 'HEAD') return headOnly(response, headers)
    return this.#compress(response, headers, this.#compressors[coding])
  }

  /** As the 200 would have it (RFC 9110 §15.4.5): a cache matches the validators of the two. */
  #notModified(request: HttpRequest, response: HttpResponse): HttpResponse {
    const { headers } = response
    if (headers === null || isFixed(headers)) return response
    const { coding } = this.#choose(request)
    const changes = coding === null ? {} : etagChange(headers)
    return withHeaders(response, changeFields(headers, { ...varyChange(headers), ...changes }))
  }

  #choose(request: HttpRequest): CodingChoice {
    return chooseCoding(request.headers.get('accept-encoding'), this.#codings)
  }

  #isCandidate(request: HttpRequest, { status, headers, body }: HttpResponse): boolean {
    if (headers === null || status === 204 || status === 205 || status === 206) return false
    if (body === null && !(request.method === 'HEAD' && headers.contentLength >= 0)) return false
    const type = headers.get('content-type')
    if (type === null || isFixed(headers)) return false
    const semicolon = type.indexOf(';')
    const mediaType = (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase()
    return this.#isCompressible(mediaType)
  }

  /** Always when the client would take nothing else. */
  #isLargeEnough({ headers, body }: HttpResponse, { isPlainRefused }: CodingChoice): boolean {
    if (isPlainRefused) return true
    const least = this.#minBytes
    if (typeof body === 'string') return body.length >= least || Buffer.byteLength(body) >= least
    if (body instanceof Uint8Array) return body.length >= least
    const announced = headers?.contentLength ?? -1
    return announced < 0 || announced >= least
  }

  async #compress(
    { status, body, trailers }: HttpResponse,
    headers: HeaderBlock,
    compressor: Compressor,
  ): Promise<HttpResponse> {
    if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
      const compressed = new CompressedBody(body as StreamBody, compressor)
      return new HttpResponse(status, headers, compressed, trailers)
    }
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const compressed =
      compressor.isQuick && bytes.length <= MAX_SYNC_BYTES
        ? compressor.compressSync(bytes)
        : await compressor.compress(bytes)
    return new HttpResponse(status, headers, compressed)
  }
}

/**
 * The fields that GET would have, but for those known only once the content is made
 * (RFC 9110 §9.3.2): nothing is compressed to find out its length.
 */
function headOnly(response: HttpResponse, headers: HeaderBlock): HttpResponse {
  releaseBody(response)
  return new HttpResponse(response.status, headers, null)
}

function isFixed(headers: HeaderBlock): boolean {
  if (FIXED_BY.some((name) => headers.get(name) !== null)) return true
  const announced = fieldValue(headers, 'trailer')
  if (announced !== null && DIGEST_AFTER.test(announced)) return true
  const control = fieldValue(headers, 'cache-control')
  return control !== null && /(?:^|,)\s*no-transform\s*(?:,|$)/i.test(control)
}

function codedHeaders(headers: HeaderBlock | null, coding: ContentCoding): HeaderBlock {
  return changeFields(headers, {
    'content-encoding': coding,
    'content-length': null,
    // Ranges would be those of the bytes before compression.
    'accept-ranges': null,
    ...varyChange(headers),
    ...etagChange(headers),
  })
}

function varyChange(headers: HeaderBlock | null): { vary?: string } {
  const vary = varyWith(headers, ['Accept-Encoding'])
  return vary === null ? {} : { vary }
}

function etagChange(headers: HeaderBlock | null): { etag?: string } {
  const etag = headers?.get('etag') ?? null
  return etag?.startsWith('"') === true ? { etag: `W/${etag}` } : {}
}

function checkCodings(codings: readonly ContentCoding[]): readonly ContentCoding[] {
  const isKnown = Array.isArray(codings) && codings.every((coding) => CODINGS.includes(coding))
  if (!isKnown || codings.length === 0 || new Set(codings).size < codings.length) {
    throw invalidOption(WHERE, 'codings', `a list of some of ${CODINGS.join(', ')}`, codings)
  }
  return [...codings]
}
