export { RATE_LIMIT_OPTIONS, type RateLimitOptions, rateLimit } from './rate-limit.ts'
export { requestId } from './request-id.ts'
