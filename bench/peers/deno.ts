/** Run by `deno serve`, which takes `--parallel` for more than one worker. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { matchByHand } from '../servers/hand-made-routes.ts'
import * as payloads from '../src/scenarios/payloads.ts'

const compress = promisify(gzip)
const BYTES = { headers: { 'content-type': payloads.BYTES_TYPE } }
const NOT_FOUND = { status: 404 }

function answerGet(request: Request): Response | Promise<Response> {
  const url = new URL(request.url)
  switch (url.pathname) {
    case '/':
      return new Response(payloads.HELLO)
    case '/json':
      return Response.json(payloads.profile(Number(url.searchParams.get('n'))))
    case '/headers':
      return new Response(request.headers.get(payloads.TAG_HEADER) ?? '')
    case '/cookies': {
      const cookies = request.headers.get('cookie') ?? ''
      return new Response(payloads.cookieValue(cookies, payloads.SESSION_COOKIE))
    }
    case '/search': {
      const [q, page, sort] = ['q', 'page', 'sort'].map((name) => url.searchParams.get(name) ?? '')
      return new Response(payloads.searchAnswer(q ?? '', page ?? '', sort ?? ''))
    }
    case '/old':
      // Response.redirect would want an absolute address.
      return new Response(null, { status: 302, headers: { location: payloads.REDIRECT_TARGET } })
    case '/page':
      return page(request)
    case '/large/64k':
      return new Response(payloads.LARGE_64K, BYTES)
    case '/large/1m':
      return new Response(payloads.LARGE_1M, BYTES)
    case '/stream':
      return streamed(payloads.streamedChunks(), payloads.TEXT_TYPE)
    case '/report':
      return compressed()
    case '/events':
      return streamed(payloads.serverEvents(), payloads.EVENTS_TYPE)
    default: {
      const answer = matchByHand(url.pathname)
      return answer === null ? new Response(payloads.NOT_FOUND, NOT_FOUND) : new Response(answer)
    }
  }
}

async function answerPost(request: Request): Promise<Response> {
  switch (new URL(request.url).pathname) {
    case '/echo':
      return new Response(await request.bytes(), BYTES)
    case '/form': {
      const form = await request.formData()
      return new Response(String(form.get(payloads.FORM_FIELD) ?? ''))
    }
    case '/upload': {
      let length = 0
      for await (const chunk of request.body ?? []) length += chunk.length
      return new Response(String(length))
    }
    default:
      return new Response(payloads.NOT_FOUND, NOT_FOUND)
  }
}

function page(request: Request): Response {
  const headers = { etag: payloads.ETAG }
  if (request.headers.get('if-none-match') === payloads.ETAG) {
    return new Response(null, { status: 304, headers })
  }
  return new Response(payloads.ETAG_BODY, { headers })
}

/** By Deno's zlib: `deno serve` compresses nothing by itself, and CompressionStream takes no level. */
async function compressed(): Promise<Response> {
  return new Response(await compress(payloads.COMPRESSIBLE, { level: payloads.GZIP_LEVEL }), {
    headers: { 'content-encoding': 'gzip', 'content-type': payloads.TEXT_TYPE },
  })
}

const streamed = (source: AsyncIterable<string>, type: string): Response =>
  new Response(ReadableStream.from(source).pipeThrough(new TextEncoderStream()), {
    headers: { 'content-type': type },
  })

export default {
  // `deno serve` itself tells on stderr.
  onListen: ({ port }: { port: number }) => console.log(`listening on http://127.0.0.1:${port}`),
  fetch: (request: Request): Response | Promise<Response> =>
    request.method === 'POST' ? answerPost(request) : answerGet(request),
}
