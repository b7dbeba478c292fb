import * as payloads from '../src/scenarios/payloads.ts'
import { ROUTES, routeAnswer } from '../src/scenarios/route-table.ts'

const workers = Number(process.env['WORKERS'] ?? 1)
const port = Number(process.env['PORT'] ?? 0)
const isWorker = process.env['BENCH_WORKER'] === '1'

const BYTES = { headers: { 'Content-Type': payloads.BYTES_TYPE } }
const TEXT = { headers: { 'Content-Type': payloads.TEXT_TYPE } }
const JSON_HEADERS = { headers: { 'Content-Type': payloads.JSON_TYPE } }

type Route = (request: Bun.BunRequest) => Response

const table = Object.fromEntries(
  ROUTES.map(({ index, pattern, params: [first, second] }): [string, Route] => {
    if (first === undefined) return [pattern, () => new Response(routeAnswer(index))]
    return [
      pattern,
      ({ params }: { params: Record<string, string> }) =>
        new Response(
          routeAnswer(index, params[first], second === undefined ? undefined : params[second]),
        ),
    ]
  }),
)

function page(request: Request): Response {
  const headers = { ETag: payloads.ETAG }
  if (request.headers.get('if-none-match') === payloads.ETAG) {
    return new Response(null, { status: 304, headers })
  }
  return new Response(payloads.ETAG_BODY, { headers })
}

async function countBytes(request: Request): Promise<Response> {
  let length = 0
  for await (const chunk of request.body ?? []) length += chunk.length
  return new Response(String(length))
}

function search(request: Request): Response {
  const { searchParams } = new URL(request.url)
  const [q, page, sort] = ['q', 'page', 'sort'].map((name) => searchParams.get(name) ?? '')
  return new Response(payloads.searchAnswer(q ?? '', page ?? '', sort ?? ''))
}

async function formField(request: Request): Promise<Response> {
  const form = await request.formData()
  return new Response(String(form.get(payloads.FORM_FIELD) ?? ''))
}

function listen(): number {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    // How Bun's guide shares a port between processes.
    reusePort: workers > 1,
    // A stream of events may be silent for longer than Bun's 10 seconds.
    idleTimeout: 0,
    routes: {
      ...table,
      // A function, not a ready Response: every server here makes its answer for each request.
      '/': {
        GET: () => new Response(payloads.HELLO),
        // Bun drops the type that a text body implies along with the body.
        HEAD: () => new Response(payloads.HELLO, TEXT),
      },
      '/json': (request) => {
        const n = Number(new URL(request.url).searchParams.get('n'))
        return Response.json(payloads.profile(n), JSON_HEADERS)
      },
      '/headers': (request) => new Response(request.headers.get(payloads.TAG_HEADER) ?? ''),
      '/cookies': (request) => new Response(request.cookies.get(payloads.SESSION_COOKIE) ?? ''),
      '/search': search,
      '/old': () => Response.redirect(payloads.REDIRECT_TARGET, 302),
      '/page': page,
      '/echo': { POST: async (request) => new Response(await request.bytes(), BYTES) },
      '/form': { POST: formField },
      '/upload': { POST: countBytes },
      '/large/64k': () => new Response(payloads.LARGE_64K, BYTES),
      '/large/1m': () => new Response(payloads.LARGE_1M, BYTES),
      '/stream': () => new Response(payloads.streamedChunks(), TEXT),
      '/events': () =>
        new Response(payloads.serverEvents(), {
          headers: { 'Content-Type': payloads.EVENTS_TYPE },
        }),
      '/report': () =>
        new Response(Bun.gzipSync(payloads.COMPRESSIBLE, { level: payloads.GZIP_LEVEL }), {
          headers: { 'Content-Encoding': 'gzip', 'Content-Type': payloads.TEXT_TYPE },
        }),
    },
    fetch: () => new Response(payloads.NOT_FOUND, { status: 404 }),
  })
  return server.port ?? 0
}

/** Bun's guide "Start a cluster of HTTP servers": a process each, on one port. */
async function spawnWorkers(): Promise<void> {
  const ready = Array.from(
    { length: workers },
    () =>
      new Promise<void>((resolve) => {
        const child = Bun.spawn([process.execPath, import.meta.path], {
          env: { ...process.env, BENCH_WORKER: '1' },
          stdio: ['ignore', 'inherit', 'inherit'],
          ipc: () => resolve(),
        })
        process.on('SIGTERM', () => child.kill())
      }),
  )
  process.on('SIGTERM', () => process.exit(0))
  await Promise.all(ready)
  console.log(`listening on http://127.0.0.1:${port}`)
}

if (workers > 1 && !isWorker) await spawnWorkers()
else {
  const boundPort = listen()
  if (isWorker) process.send?.('listening')
  else console.log(`listening on http://127.0.0.1:${boundPort}`)
}
