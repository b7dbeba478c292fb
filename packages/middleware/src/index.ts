export {
  type AccessLogOptions,
  type AccessRecord,
  accessLog,
  combinedLine,
  jsonLine,
} from './access-log.ts'
export { type CompressionOptions, compression } from './compression.ts'
export {
  type ConditionalRequest,
  type ConditionOutcome,
  evaluateConditions,
  evaluateIfRange,
  type Validators,
} from './conditional.ts'
export type { ContentCoding } from './content-codings.ts'
export { contentDisposition } from './content-disposition.ts'
export {
  type ContentSecurityPolicy,
  CSP_NONCE,
  type CspDirective,
  cspNonce,
} from './content-security-policy.ts'
export { type CorsOptions, cors } from './cors.ts'
export type { OriginRule } from './cors-origin.ts'
export { type EtagOptions, etag } from './etag.ts'
export { type FileOptions, file } from './file.ts'
export type { SymlinkPolicy } from './file-root.ts'
export type { Precompressed } from './precompressed.ts'
export { type ByteRange, type RangeSelection, selectRanges } from './range.ts'
export { RATE_LIMIT_OPTIONS, type RateLimitOptions, rateLimit } from './rate-limit.ts'
export { type RequestIdOptions, requestId } from './request-id.ts'
export { type SecurityHeadersOptions, securityHeaders } from './security-headers.ts'
export type { StrictTransportSecurity } from './security-values.ts'
export { type StaticHandler, staticFiles } from './static-files.ts'
export type { StaticOptions } from './static-options.ts'
export type { DotfilePolicy } from './static-path.ts'
export { type TimeoutOptions, timeout } from './timeout.ts'
