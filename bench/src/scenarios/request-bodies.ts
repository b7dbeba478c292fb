import type { LoadShape, Scenario } from '../model.ts'
import { BYTES_TYPE, FORM_FIELD, FORM_TYPE, pattern } from './payloads.ts'
import { KEEP_ALIVE } from './reading.ts'
import { answer, type Exchange, post } from './request-spec.ts'

const ONE_KIB = pattern(1024)

export const ECHO_EXCHANGE: Exchange = {
  request: post('/echo', BYTES_TYPE, ONE_KIB),
  answer: answer(ONE_KIB, { contentType: BYTES_TYPE }),
}

const EMAIL = 'ada.lovelace+bench@example.com'
const FORM_BYTES = 4096

/** A form of exactly 4 KiB: ten short fields, then a long one with spaces and encoded letters. */
export function fourKibForm(): string {
  const short = Array.from({ length: 10 }, (_, i) => `field_${i}=value+number+${i}%21`)
  short.splice(6, 0, `${FORM_FIELD}=${encodeURIComponent(EMAIL)}`)
  const start = `${short.join('&')}&comment=`
  const words = 'na%C3%AFve+caf%C3%A9+and+some+plain+words+'
  const room = FORM_BYTES - start.length
  const whole = words.repeat(Math.floor(room / words.length))
  return start + whole + 'x'.repeat(room - whole.length)
}

/** Past the default body limit of every server here that has one; few connections, as it is long. */
const UPLOAD = pattern(20 * 1024 * 1024)
const UPLOADERS: LoadShape = { kind: 'keep-alive', connections: 8, pipelining: 1 }

/** Requests with a body. */
export const REQUEST_BODY_SCENARIOS: readonly Scenario[] = [
  {
    name: 'echo',
    summary: 'POST of 1 KiB, answered with the same bytes',
    requests: [ECHO_EXCHANGE],
    shape: KEEP_ALIVE,
    notYet: null,
  },
  {
    name: 'post_4kb_form',
    summary: 'POST of a form of 4 KiB, parsed; one field is the answer',
    requests: [{ request: post('/form', FORM_TYPE, fourKibForm()), answer: answer(EMAIL) }],
    shape: KEEP_ALIVE,
    notYet: null,
  },
  {
    name: 'large_post_streaming',
    summary: 'POST of 20 MiB, counted while it arrives',
    requests: [
      { request: post('/upload', BYTES_TYPE, UPLOAD), answer: answer(String(UPLOAD.length)) },
    ],
    shape: UPLOADERS,
    notYet: null,
  },
  {
    name: 'chunked_request_body',
    summary: 'echo of 1 KiB that comes in chunks (Transfer-Encoding)',
    requests: [
      {
        request: post('/echo', BYTES_TYPE, ONE_KIB, 'chunked'),
        answer: answer(ONE_KIB, { contentType: BYTES_TYPE }),
      },
    ],
    shape: KEEP_ALIVE,
    notYet: null,
  },
  {
    name: 'expect_100_continue',
    summary: 'echo of 1 KiB that is sent after the interim answer 100',
    requests: [
      {
        request: post('/echo', BYTES_TYPE, ONE_KIB, 'expect-continue'),
        answer: answer(ONE_KIB, { contentType: BYTES_TYPE }),
      },
    ],
    shape: KEEP_ALIVE,
    notYet: null,
  },
]
