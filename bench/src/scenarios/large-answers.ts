import { gunzipSync } from 'node:zlib'
import type { LoadShape, Scenario } from '../model.ts'
import {
  BYTES_TYPE,
  COMPRESSIBLE,
  EVENTS_TYPE,
  eventText,
  LARGE_1M,
  LARGE_64K,
  STREAMED,
} from './payloads.ts'
import { answer, type Exchange, get } from './request-spec.ts'

export const LARGE_64K_EXCHANGE: Exchange = {
  request: get('/large/64k'),
  answer: answer(LARGE_64K, { contentType: BYTES_TYPE }),
}

/** Fewer than for small answers: what is in flight should fit the socket buffers of a loopback. */
const SIXTEEN: LoadShape = { kind: 'keep-alive', connections: 16, pipelining: 1 }

function checkCompressed(body: Uint8Array): string | null {
  let plain: string
  try {
    plain = gunzipSync(body).toString()
  } catch (error) {
    return `no gzip: ${error instanceof Error ? error.message : String(error)}`
  }
  return plain === COMPRESSIBLE ? null : 'decompresses to something else'
}

/** @param body the first part of a stream that has no end, which may stop within an event */
export function checkEvents(body: Uint8Array): string | null {
  const text = new TextDecoder().decode(body)
  const whole = text.lastIndexOf('\n\n') + 2
  if (whole === 1) return 'no event'
  let at = 0
  for (let n = 0; at < whole; n++) {
    const event = eventText(n)
    if (!text.startsWith(event, at)) {
      return `event ${n} is ${JSON.stringify(text.slice(at, at + event.length))}`
    }
    at += event.length
  }
  return null
}

/** Answers that are long, made while they are sent, or without an end. */
export const LARGE_ANSWER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'large_response_64k',
    summary: '64 KiB from memory',
    requests: [LARGE_64K_EXCHANGE],
    shape: SIXTEEN,
    notYet: null,
  },
  {
    name: 'large_response_1m',
    summary: '1 MiB from memory',
    requests: [
      { request: get('/large/1m'), answer: answer(LARGE_1M, { contentType: BYTES_TYPE }) },
    ],
    shape: SIXTEEN,
    notYet: null,
  },
  {
    name: 'streaming_response',
    summary: '64 chunks of 1 KiB, produced one at a time',
    requests: [
      {
        request: get('/stream'),
        answer: answer(STREAMED, { headers: [['transfer-encoding', 'chunked']] }),
      },
    ],
    shape: SIXTEEN,
    notYet: null,
  },
  {
    name: 'gzip_response',
    summary: '8 KiB of text, compressed for each request',
    requests: [
      {
        request: get('/report', [['accept-encoding', 'gzip']]),
        answer: answer('', {
          body: null,
          checkBody: checkCompressed,
          headers: [['content-encoding', 'gzip']],
        }),
      },
    ],
    shape: SIXTEEN,
    notYet: null,
  },
  {
    name: 'server_sent_events',
    summary: 'events on streams that stay open, one for each turn of the event loop',
    requests: [
      {
        request: get('/events', [['accept', EVENTS_TYPE]]),
        answer: answer('', { contentType: EVENTS_TYPE, body: null, checkBody: checkEvents }),
      },
    ],
    shape: { kind: 'event-stream', connections: 64 },
    notYet: null,
  },
]
