import type { OptionsInput, ResolvedOptions } from './options.ts'

/** Limits and time limits of HTTP connections. */
export const HTTP_OPTIONS = {
  maxRequestLineBytes: {
    type: 'integer',
    default: 8192,
    minimum: 64,
    maximum: 65_536,
    doc: 'Longest request line, without its CRLF; a longer one is answered 414.',
  },
  maxHeaderLineBytes: {
    type: 'integer',
    default: 8192,
    minimum: 64,
    maximum: 65_536,
    doc: 'Longest header line, without its CRLF; a longer one is answered 431.',
  },
  maxHeaderBlockBytes: {
    type: 'integer',
    default: 16_384,
    minimum: 256,
    maximum: 1_048_576,
    doc: 'Most bytes in all header lines of a request with their CRLFs, and in its trailers; more is answered 431.',
  },
  maxHeaders: {
    type: 'integer',
    default: 100,
    minimum: 1,
    maximum: 2000,
    doc: 'Most header lines in a request, and in its trailers; more is answered 431.',
  },
  maxBodyBytes: {
    type: 'integer',
    default: 1_048_576,
    minimum: 0,
    maximum: 9_007_199_254_740_991,
    flag: 'max-body',
    valueName: 'bytes',
    doc: 'Longest request body; a longer one is answered 413, before it is read where its length is announced.',
  },
  maxChunkExtensionBytes: {
    type: 'integer',
    default: 16_384,
    minimum: 0,
    maximum: 1_048_576,
    doc: "Most bytes that a chunked body may spend on its chunk-size lines beyond 16 for each, over the whole body; more is answered 400. Extensions carry nothing that rr uses, and are an attacker's way to send much and say little.",
  },
  maxDiscardBytes: {
    type: 'integer',
    default: 262_144,
    minimum: 0,
    maximum: 1_073_741_824,
    doc: 'How much of a body that the handler did not read is read and thrown away to keep the connection; past it the connection is closed.',
  },
  headersTimeoutMs: {
    type: 'integer',
    default: 30_000,
    minimum: 1,
    maximum: 3_600_000,
    doc: "Time for a request's head to arrive, from its first byte, or from the start of the connection for the first; past it 408 if a part has arrived, and close.",
  },
  keepAliveTimeoutMs: {
    type: 'integer',
    default: 65_000,
    minimum: 1,
    maximum: 86_400_000,
    doc: 'Time that a connection may stay idle between requests; then it is closed.',
  },
  requestTimeoutMs: {
    type: 'integer',
    default: 300_000,
    minimum: 1,
    maximum: 86_400_000,
    doc: 'Time for a whole request to arrive, body included, from its first byte; past it 408 where an answer is still possible, and close.',
  },
  minBytesPerSecond: {
    type: 'integer',
    default: 100,
    minimum: 0,
    maximum: 1_073_741_824,
    doc: 'Least average rate at which a request must arrive while the server waits for it, after minRateGraceMs; below it 408 where an answer is still possible, and close. 0 turns the check off.',
  },
  minRateGraceMs: {
    type: 'integer',
    default: 5000,
    minimum: 0,
    maximum: 3_600_000,
    doc: 'Time that a request may take to arrive before minBytesPerSecond is checked.',
  },
  sendTimeoutMs: {
    type: 'integer',
    default: 60_000,
    minimum: 1,
    maximum: 3_600_000,
    doc: 'Time that a client may take none of the bytes waiting for it; then the connection is cut.',
  },
  halfOpenTimeoutMs: {
    type: 'integer',
    default: 10_000,
    minimum: 1,
    maximum: 3_600_000,
    doc: 'Time that a connection whose client has closed its side, and has most likely gone, is kept while nothing is sent to it; then it is cut.',
  },
  lingerTimeoutMs: {
    type: 'integer',
    default: 5000,
    minimum: 1,
    maximum: 60_000,
    doc: 'Time that the server goes on reading after it has sent its last answer and closed its side, so that the answer is not lost to a reset (RFC 9112 §9.6).',
  },
} as const

/** Every HTTP option with its value. */
export type HttpOptions = ResolvedOptions<typeof HTTP_OPTIONS>
/** What a caller may set of them. */
export type HttpOptionsInput = OptionsInput<typeof HTTP_OPTIONS>
