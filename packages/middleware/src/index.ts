export {
  type AccessLogOptions,
  type AccessRecord,
  accessLog,
  combinedLine,
  jsonLine,
} from './access-log.ts'
export { type CompressionOptions, compression } from './compression.ts'
export type { ContentCoding } from './content-codings.ts'
export {
  type ContentSecurityPolicy,
  CSP_NONCE,
  type CspDirective,
  cspNonce,
} from './content-security-policy.ts'
export { type CorsOptions, cors } from './cors.ts'
export type { OriginRule } from './cors-origin.ts'
export { type EtagOptions, etag } from './etag.ts'
export { type RequestIdOptions, requestId } from './request-id.ts'
export { type SecurityHeadersOptions, securityHeaders } from './security-headers.ts'
export type { StrictTransportSecurity } from './security-values.ts'
export { type TimeoutOptions, timeout } from './timeout.ts'
