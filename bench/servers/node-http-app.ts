/**
 * The handler of the node:http server: no framework, so a switch over paths and a table for the
 * rest, and everything else by what Node's documentation shows.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import * as payloads from '../src/scenarios/payloads.ts'
import { matchByHand } from './hand-made-routes.ts'

const compress = promisify(gzip)

export const handle: RequestListener = (request, response) => {
  const target = request.url ?? '/'
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : target.slice(mark + 1)
  const { method } = request
  if (method === 'GET' || method === 'HEAD') answerGet(path, query, request, response)
  else if (method === 'POST') {
    answerPost(path, request, response).catch((error: Error) => response.destroy(error))
  } else sendNotFound(response)
}

function answerGet(
  path: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  switch (path) {
    case '/':
      sendText(response, payloads.HELLO)
      break
    case '/json':
      sendJson(response, payloads.profile(Number(new URLSearchParams(query).get('n'))))
      break
    case '/headers':
      sendText(response, String(request.headers[payloads.TAG_HEADER] ?? ''))
      break
    case '/cookies': {
      const cookies = request.headers.cookie ?? ''
      sendText(response, payloads.cookieValue(cookies, payloads.SESSION_COOKIE))
      break
    }
    case '/search': {
      const search = new URLSearchParams(query)
      const [q, page, sort] = ['q', 'page', 'sort'].map((name) => search.get(name) ?? '')
      sendText(response, payloads.searchAnswer(q ?? '', page ?? '', sort ?? ''))
      break
    }
    case '/old':
      response.writeHead(302, { Location: payloads.REDIRECT_TARGET }).end()
      break
    case '/page':
      sendPage(request, response)
      break
    case '/large/64k':
      sendBytes(response, payloads.LARGE_64K)
      break
    case '/large/1m':
      sendBytes(response, payloads.LARGE_1M)
      break
    case '/stream':
      sendStream(response, payloads.TEXT_TYPE, payloads.streamedChunks())
      break
    case '/report':
      sendCompressed(response)
      break
    case '/events':
      sendStream(response, payloads.EVENTS_TYPE, payloads.serverEvents())
      break
    default:
      sendRoute(path, response)
      break
  }
}

async function answerPost(
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (path === '/echo') sendBytes(response, await readBody(request))
  else if (path === '/form') {
    const form = new URLSearchParams((await readBody(request)).toString())
    sendText(response, form.get(payloads.FORM_FIELD) ?? '')
  } else if (path === '/upload') {
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    request.on('end', () => sendText(response, String(length)))
  } else sendNotFound(response)
}

/** By events, as Node's guide to HTTP transactions reads a body, which is cheaper than to iterate over it. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}

function sendRoute(path: string, response: ServerResponse): void {
  const answer = matchByHand(path)
  if (answer === null) sendNotFound(response)
  else sendText(response, answer)
}

// setHeader and end: with one header or two this is what Node serves fastest.
function sendText(response: ServerResponse, body: string): void {
  response.setHeader('Content-Type', payloads.TEXT_TYPE)
  response.end(body)
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('Content-Type', payloads.JSON_TYPE)
  response.end(JSON.stringify(value))
}

function sendBytes(response: ServerResponse, body: Uint8Array): void {
  response.setHeader('Content-Type', payloads.BYTES_TYPE)
  response.end(body)
}

function sendNotFound(response: ServerResponse): void {
  response.statusCode = 404
  sendText(response, payloads.NOT_FOUND)
}

function sendPage(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('ETag', payloads.ETAG)
  if (request.headers['if-none-match'] === payloads.ETAG) {
    response.statusCode = 304
    response.end()
  } else sendText(response, payloads.ETAG_BODY)
}

function sendStream(response: ServerResponse, type: string, source: AsyncIterable<string>): void {
  response.setHeader('Content-Type', type)
  // A client that leaves ends the pipeline with an error, and the source with it.
  pipeline(Readable.from(source, { objectMode: false }), response).catch(() => {})
}

function sendCompressed(response: ServerResponse): void {
  compress(payloads.COMPRESSIBLE, { level: payloads.GZIP_LEVEL }).then(
    (body) => {
      response.setHeader('Content-Encoding', 'gzip')
      response.setHeader('Content-Type', payloads.TEXT_TYPE)
      response.end(body)
    },
    (error: Error) => response.destroy(error),
  )
}
