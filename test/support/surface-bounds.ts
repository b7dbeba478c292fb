/** What the applications of application-surface.test.ts are served with, and their test counts on. */

export const MAX_BODY_BYTES = 4096
/** Requests that one client has in a day. */
export const REQUESTS_A_DAY = 24
export const ORIGIN = 'https://app.example.com'
/** Long enough to be worth compressing. */
export const PAGE: string = '<p>a page that is said again and again</p>'.repeat(100)
export const LINES: readonly string[] = Array.from({ length: 100 }, (_, n) => `line ${n}\n`)
