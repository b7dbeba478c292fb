import type { LoadShape, Scenario } from '../model.ts'
import {
  ETAG,
  ETAG_BODY,
  HELLO,
  JSON_TYPE,
  profile,
  REDIRECT_TARGET,
  SESSION_COOKIE,
  searchAnswer,
  TAG_HEADER,
} from './payloads.ts'
import { answer, type Exchange, get, head } from './request-spec.ts'

/** As many connections as keep one worker busy; the same for all scenarios of small requests. */
export const KEEP_ALIVE: LoadShape = { kind: 'keep-alive', connections: 64, pipelining: 1 }

export const HELLO_EXCHANGE: Exchange = { request: get('/'), answer: answer(HELLO) }

/** Numbers that a server cannot have answers ready for. */
export const JSON_EXCHANGES: readonly Exchange[] = Array.from({ length: 32 }, (_, i) => {
  const id = 1000 + i * 37
  return {
    request: get(`/json?n=${id}`),
    answer: answer(JSON.stringify(profile(id)), { contentType: JSON_TYPE }),
  }
})

export const SEARCH_EXCHANGE: Exchange = {
  request: get('/search?q=two%20words&page=7&sort=price&order=desc&lang=en&utm_source=mail'),
  answer: answer(searchAnswer('two words', '7', 'price')),
}

/** Thirty fields, of the kinds and sizes that a browser behind two proxies sends. */
const THIRTY_HEADERS: readonly (readonly [string, string])[] = [
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0'],
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'],
  ['accept-language', 'en-GB,en;q=0.8,de;q=0.5,fr;q=0.3'],
  ['cache-control', 'no-cache'],
  ['pragma', 'no-cache'],
  ['dnt', '1'],
  ['priority', 'u=0, i'],
  ['referer', 'https://shop.example.com/catalogue/books?page=3&sort=price'],
  ['origin', 'https://shop.example.com'],
  ['sec-ch-ua', '"Chromium";v="142", "Not)A;Brand";v="24"'],
  ['sec-ch-ua-mobile', '?0'],
  ['sec-ch-ua-platform', '"Linux"'],
  ['sec-fetch-dest', 'document'],
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-site', 'same-origin'],
  ['sec-fetch-user', '?1'],
  [TAG_HEADER, 'tag-7f3a9c'],
  ['upgrade-insecure-requests', '1'],
  ['x-client-version', '5.12.0-beta.3'],
  ['x-correlation-id', '5f0c7a52-6f6c-4b0e-9c57-3c1f0f6c9d11'],
  ['x-device-id', 'a8c1e5f0b7d24c3f'],
  ['x-edge-location', 'fra50-c1'],
  ['x-experiment', 'checkout=b; search=a; home=control'],
  ['x-forwarded-for', '203.0.113.7, 198.51.100.23'],
  ['x-forwarded-host', 'shop.example.com'],
  ['x-forwarded-port', '443'],
  ['x-forwarded-proto', 'https'],
  ['x-real-ip', '203.0.113.7'],
  ['x-timezone', 'Europe/Berlin'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
]

const SESSION = 'c2Vzc2lvbi1mb3ItdGhlLWJlbmNobWFyaw'
/** Two dozen cookies, about 1 KiB, with the one that is wanted in the second half. */
const COOKIES: string = Array.from({ length: 24 }, (_, i) =>
  i === 15
    ? `${SESSION_COOKIE}=${SESSION}`
    : `_c${i}=GA1.2.${1_870_000_000 + i * 7919}.17${i}x8f3ab1`,
).join('; ')

const scenario = (
  name: string,
  summary: string,
  requests: readonly Exchange[],
  notYet: string | null = null,
): Scenario => ({ name, summary, requests, shape: KEEP_ALIVE, notYet })

/** Requests without a body and small answers. */
export const READING_SCENARIOS: readonly Scenario[] = [
  scenario('hello', 'GET, 13 bytes of text', [HELLO_EXCHANGE]),
  scenario('json', 'an object made from a number in the query, as JSON', JSON_EXCHANGES),
  scenario('headers_heavy', '30 request headers, the value of one is the answer', [
    {
      request: get('/headers', THIRTY_HEADERS),
      answer: answer(THIRTY_HEADERS.find(([name]) => name === TAG_HEADER)?.[1] ?? ''),
    },
  ]),
  scenario('cookies_heavy', '24 cookies, the value of one is the answer', [
    { request: get('/cookies', [['cookie', COOKIES]]), answer: answer(SESSION) },
  ]),
  scenario('url_with_qs', 'six query parameters, three are read and decoded', [SEARCH_EXCHANGE]),
  scenario('head_method', 'HEAD of hello', [
    // Content-Length may be left out (RFC 9110 §9.3.2), and some of the servers do.
    { request: head('/'), answer: answer('') },
  ]),
  scenario('redirect', '302 with a Location', [
    {
      request: get('/old'),
      answer: answer('', {
        status: 302,
        contentType: null,
        headers: [['location', REDIRECT_TARGET]],
      }),
    },
  ]),
  // One request in four is a miss, so that an answer that is always 304 is found out.
  scenario('etag_304', 'If-None-Match against an ETag: three are 304, the fourth is 200', [
    ...Array.from({ length: 3 }, () => ({
      request: get('/page', [['if-none-match', ETAG]]),
      answer: answer('', { status: 304, contentType: null, headers: [['etag', ETAG]] }),
    })),
    {
      request: get('/page', [['if-none-match', '"bench-0"']]),
      answer: answer(ETAG_BODY, { headers: [['etag', ETAG]] }),
    },
  ]),
]
