// What an application can do, asked of a router and of a fetch application, in one worker and in two.

import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { type Server, type ServerEvent, serve } from '@rr/listener'
import t, { type Test } from 'tap'
import { inRoot } from '../../scripts/project-paths.mjs'
import { type Answer, ask, begin, open, readUntil } from '../support/http-client.ts'
import { LINES, MAX_BODY_BYTES, PAGE, REQUESTS_A_DAY } from '../support/surface-bounds.ts'
import { EXCHANGES } from '../support/surface-exchanges.ts'
import { until } from '../support/until.ts'

/** What of a server is asked in more than one exchange. */
const CONVERSATIONS: Readonly<Record<string, (t: Test, server: Server) => Promise<void>>> = {
  'an upload is in a temporary file, as long as its request': async (t, server) => {
    const form = new FormData()
    form.append('title', 'ä file')
    form.append('file', new File(['first\r\n--second'], 'a.txt', { type: 'text/plain' }))
    const encoded = new Response(form)
    const headers = { 'content-type': encoded.headers.get('content-type') ?? '' }
    const body = new Uint8Array(await encoded.arrayBuffer())
    const { status, text } = await ask(`${server.url}/upload`, { headers, body })
    t.equal(status, 200)
    const { path, ...rest } = JSON.parse(text) as { path: string }
    const content = 'first\r\n--second'
    t.same(rest, { title: 'ä file', filename: 'a.txt', size: content.length, content })
    await until('the file to be removed', () => !existsSync(path))
  },

  'trailers follow a stream for clients that take them': async (t, server) => {
    const taken = await ask(`${server.url}/trailers`, { headers: { te: 'trailers' } })
    t.equal(taken.headers.trailer, 'x-lines')
    t.same(taken.trailers, { 'x-lines': String(LINES.length) })
    const left = await ask(`${server.url}/trailers`)
    t.same(left.trailers, {})
    for (const { text } of [taken, left]) t.equal(text, LINES.join(''))
  },

  'events arrive as they are sent; the handler hears that the client has gone': async (
    t,
    server,
  ) => {
    const { client, response } = await open(`${server.url}/events`)
    t.equal(response.headers['content-type'], 'text/event-stream')
    const text = await readUntil(response, /second\n\n$/)
    t.equal(text, 'event: news\nid: 1\ndata: first\n\nid: 2\ndata: second\n\n')
    t.same(await aborted(server), [0, 0, 0], 'and not before')
    client.socket?.resetAndDestroy()
    await until('both signals to abort', async () => {
      const [, ofRequest, ofStream] = await aborted(server)
      return ofRequest === 1 && ofStream === 1
    })
  },

  'the signal aborts when the client goes before it is answered': async (t, server) => {
    const client = begin(`${server.url}/wait`)
    // The interim answer by which the handler tells that it is there.
    const [status] = await new Promise<number[]>((resolve) => {
      client.once('information', ({ statusCode }) => resolve([statusCode]))
    })
    t.equal(status, 102)
    client.destroy()
    await until('the signal to abort', async () => (await aborted(server))[0] === 1)
  },

  'what the client has already is answered 304, by every worker': async (t, server) => {
    for (const path of ['/file', '/assets/letters.txt']) {
      const { headers } = await ask(server.url + path)
      const question = { headers: { 'if-none-match': headers.etag ?? '' } }
      for (let count = 0; count < 4; count++) {
        const answer = await ask(server.url + path, question)
        t.match(answer, { status: 304, headers: { etag: headers.etag }, text: /^$/ }, path)
      }
    }
  },

  'compression is negotiated': async (t, server) => {
    const page = (accepted: string): Promise<Answer> =>
      ask(`${server.url}/page`, { headers: { 'accept-encoding': accepted } })
    const codings: readonly [string, string | undefined, (body: Buffer) => Buffer][] = [
      ['gzip;q=0.5, br', 'br', brotliDecompressSync],
      ['gzip, br;q=0', 'gzip', gunzipSync],
      ['identity', undefined, (plain) => plain],
    ]
    for (const [accepted, coding, decode] of codings) {
      const { headers, body } = await page(accepted)
      t.equal(headers['content-encoding'], coding, accepted)
      t.match(headers.vary, /Accept-Encoding/)
      t.equal(decode(body).toString(), PAGE)
    }
  },

  'the rate limit is exact over all workers': async (t, server) => {
    const passing = Array.from({ length: REQUESTS_A_DAY }, () => ask(`${server.url}/limited`))
    const statuses = (await Promise.all(passing)).map(({ status }) => status)
    t.same(statuses, Array(REQUESTS_A_DAY).fill(200), 'up to the limit')
    const refusals = Array.from({ length: 4 }, () => ask(`${server.url}/limited`))
    for (const answer of await Promise.all(refusals)) {
      t.equal(answer.status, 429)
      t.match(answer.headers, { 'retry-after': /^\d+$/, ratelimit: /r=0;/ })
    }
  },

  'the compute pool computes, and says when it is full': async (t, server) => {
    const square = (): Promise<Answer> => ask(`${server.url}/square?n=7`)
    t.equal((await square()).text, '49')
    await until('its thread to be free', () => server.info().compute.running === 0)
    const holder = begin(`${server.url}/hold`)
    await until('its thread to be taken', () => server.info().compute.running === 1)
    for (let count = 0; count < 4; count++) {
      t.match(await square(), { status: 503, headers: { 'retry-after': '1' } })
    }
    holder.destroy()
    await until('its thread to be free', () => server.info().compute.running === 0)
    t.match(await square(), { status: 200, text: '49' }, 'the client that left took its task along')
  },
}

/** Counts of signals that have aborted: of /wait, of /events, of the stream of /events. */
async function aborted(server: Server): Promise<number[]> {
  return JSON.parse((await ask(`${server.url}/aborted`)).text) as number[]
}

async function checkExchanges(t: Test, server: Server): Promise<void> {
  for (const { title, path, question, expected } of EXCHANGES) {
    const answer = await ask(server.url + path, question)
    t.match(answer, expected, title)
  }
}

/** What the log has to tell, and nothing else: the clients' faults are no errors of the server. */
const REPORTED = [
  'the compute pool has 1 tasks running and 0 waiting',
  'the handler fails',
  // For the log it is an error of no status, whatever the error handler answers.
  'the last one is gone',
]

for (const form of ['router', 'fetch']) {
  for (const workers of [1, 2]) {
    t.test(`${form}, ${workers} workers`, async (t) => {
      const events: ServerEvent[] = []
      const module = inRoot('test', 'fixtures', `surface-${form}.ts`)
      const server = await serve(pathToFileURL(module), {
        host: '127.0.0.1',
        port: 0,
        workers,
        maxBodyBytes: MAX_BODY_BYTES,
        decompressBodies: true,
        onEvent: (event) => void events.push(event),
      })
      t.teardown(() => server.stop())
      await t.test('one question, one answer', (t) => checkExchanges(t, server))
      for (const [title, converse] of Object.entries(CONVERSATIONS)) {
        await t.test(title, (t) => converse(t, server))
      }
      const served = server.info().workers.filter(({ requests }) => requests > 0)
      t.equal(served.length, workers, 'every worker served')
      t.same(await server.drain({ timeoutMs: 5000 }), { drained: true }, 'nothing is left open')
      const troubles = events.filter(({ type }) => type === 'handler-error' || type === 'warning')
      const messages = troubles.map((event) =>
        event.type === 'handler-error' ? event.error.message : event.type,
      )
      t.same([...new Set(messages)].sort(), REPORTED)
    })
  }
}
