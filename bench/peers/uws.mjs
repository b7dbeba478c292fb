// Plain JavaScript on compiled helpers: it runs on Node 20, which strips no types.

import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { gzip } from 'node:zlib'
import * as payloads from '../dist/scenarios/payloads.js'
import { ROUTES, routeAnswer } from '../dist/scenarios/route-table.js'

// The binary itself, not the package's main file: that one falls back to an imitation on node:http
// where no binary fits. The variable names an own install of uWebSockets.js.
const { platform, arch, versions } = process
const name =
  process.env.RR_BENCH_UWS ||
  `@trufflesuite/uws-js-unofficial/binaries/uws_${platform}_${arch}_${versions.modules}.node`
/** @type {typeof import('@trufflesuite/uws-js-unofficial')} */
const uWS = createRequire(import.meta.url)(name)
const workers = Number(process.env.WORKERS ?? 1)
const port = Number(process.env.PORT ?? 0)
const compress = promisify(gzip)

/** @typedef {import('@trufflesuite/uws-js-unofficial').HttpResponse} Answer */

/** @param {Answer} res @param {string} body */
function sendText(res, body) {
  res.writeHeader('Content-Type', payloads.TEXT_TYPE).end(body)
}

/** @param {Answer} res @param {Uint8Array} body */
function sendBytes(res, body) {
  res.writeHeader('Content-Type', payloads.BYTES_TYPE).end(body)
}

/**
 * Collects a body, as the documentation's example: chunks are gone when the callback returns.
 *
 * @param {Answer} res @param {(body: Buffer) => void} done
 */
function readBody(res, done) {
  /** @type {Buffer[]} */
  const chunks = []
  res.onAborted(() => {})
  res.onData((chunk, isLast) => {
    if (isLast && chunks.length === 0) return done(Buffer.from(chunk))
    chunks.push(Buffer.from(new Uint8Array(chunk)))
    if (isLast) done(Buffer.concat(chunks))
  })
}

/**
 * Waits while the client is slow, by onWritable.
 *
 * @param {Answer} res @param {string} type @param {AsyncIterable<string>} source
 */
async function sendStream(res, type, source) {
  let gone = false
  let onDrain = () => {}
  res.onAborted(() => {
    gone = true
    onDrain()
  })
  res.onWritable(() => {
    onDrain()
    return true
  })
  res.cork(() => res.writeHeader('Content-Type', type))
  for await (const chunk of source) {
    if (gone) return
    let isTaken = true
    res.cork(() => {
      isTaken = res.write(chunk)
    })
    if (!isTaken) {
      await new Promise((resolve) => {
        onDrain = () => resolve(undefined)
      })
    }
  }
  if (!gone) res.cork(() => res.end())
}

/** @param {Answer} res */
async function sendCompressed(res) {
  let gone = false
  res.onAborted(() => {
    gone = true
  })
  const body = await compress(payloads.COMPRESSIBLE, { level: payloads.GZIP_LEVEL })
  if (gone) return
  res.cork(() => {
    res.writeHeader('Content-Encoding', 'gzip')
    res.writeHeader('Content-Type', payloads.TEXT_TYPE).end(body)
  })
}

const app = uWS
  .App()
  .get('/', (res) => sendText(res, payloads.HELLO))
  .head('/', (res) => {
    // Without the length as argument: version 20.30 then never counts the answer as complete.
    res.writeHeader('Content-Type', payloads.TEXT_TYPE).endWithoutBody()
  })
  .get('/json', (res, req) => {
    const value = payloads.profile(Number(req.getQuery('n')))
    res.writeHeader('Content-Type', payloads.JSON_TYPE).end(JSON.stringify(value))
  })
  .get('/headers', (res, req) => sendText(res, req.getHeader(payloads.TAG_HEADER)))
  .get('/cookies', (res, req) =>
    sendText(res, payloads.cookieValue(req.getHeader('cookie'), payloads.SESSION_COOKIE)),
  )
  .get('/search', (res, req) =>
    sendText(
      res,
      payloads.searchAnswer(req.getQuery('q'), req.getQuery('page'), req.getQuery('sort')),
    ),
  )
  .get('/old', (res) => {
    res.writeStatus('302 Found').writeHeader('Location', payloads.REDIRECT_TARGET).end()
  })
  .get('/page', (res, req) => {
    if (req.getHeader('if-none-match') === payloads.ETAG) {
      res.writeStatus('304 Not Modified').writeHeader('ETag', payloads.ETAG).endWithoutBody()
    } else sendText(res.writeHeader('ETag', payloads.ETAG), payloads.ETAG_BODY)
  })
  .post('/echo', (res) => readBody(res, (body) => res.cork(() => sendBytes(res, body))))
  .post('/form', (res) =>
    readBody(res, (body) => {
      const value = new URLSearchParams(body.toString()).get(payloads.FORM_FIELD) ?? ''
      res.cork(() => sendText(res, value))
    }),
  )
  .post('/upload', (res) => {
    let length = 0
    res.onAborted(() => {})
    res.onData((chunk, isLast) => {
      length += chunk.byteLength
      if (isLast) res.cork(() => sendText(res, String(length)))
    })
  })
  .get('/large/64k', (res) => sendBytes(res, payloads.LARGE_64K))
  .get('/large/1m', (res) => sendBytes(res, payloads.LARGE_1M))
  .get('/stream', (res) => void sendStream(res, payloads.TEXT_TYPE, payloads.streamedChunks()))
  .get('/events', (res) => void sendStream(res, payloads.EVENTS_TYPE, payloads.serverEvents()))
  .get('/report', (res) => void sendCompressed(res))

for (const { index, pattern, params } of ROUTES) {
  app.get(pattern, (res, req) => {
    const [first, second] = params.map((_, n) => req.getParameter(n))
    sendText(res, routeAnswer(index, first, second))
  })
}
app.any('/*', (res) => sendText(res.writeStatus('404 Not Found'), payloads.NOT_FOUND))

/** @param {number} boundPort */
const announce = (boundPort) => console.log(`listening on http://127.0.0.1:${boundPort}`)

if (workers > 1 && isMainThread) {
  // Threads that listen on the same port, as the example WorkerThreads.js.
  let listening = 0
  for (let i = 0; i < workers; i++) {
    new Worker(new URL(import.meta.url)).on('message', () => {
      listening += 1
      if (listening === workers) announce(port)
    })
  }
} else {
  app.listen('127.0.0.1', port, (socket) => {
    if (socket === false) throw new Error(`cannot listen on ${port}`)
    if (isMainThread) announce(uWS.us_socket_local_port(socket))
    else parentPort?.postMessage('listening')
  })
}
