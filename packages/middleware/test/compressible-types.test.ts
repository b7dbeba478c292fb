import t from 'tap'
import { isCompressibleType } from '../src/compressible-types.ts'

for (const [type, expected] of [
  ['text/plain', true],
  ['text/html', true],
  ['text/event-stream', true],
  ['text/x-of-tomorrow', true],
  ['application/json', true],
  ['application/problem+json', true],
  ['application/x-ndjson', true],
  ['application/vnd.example+xml', true],
  ['application/javascript', true],
  ['application/wasm', true],
  ['image/svg+xml', true],
  ['image/png', false],
  ['image/jpeg', false],
  ['video/mp4', false],
  ['application/zip', false],
  ['application/octet-stream', false],
  ['font/woff2', false],
  ['multipart/form-data', false],
  ['', false],
  ['constructor', false],
] as const) {
  t.test(`${type || 'no type'} ${expected ? 'is' : 'is not'} worth compressing`, async (t) => {
    t.equal(isCompressibleType(type), expected)
  })
}
