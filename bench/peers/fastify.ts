import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance } from 'fastify'
import { runWorkers } from '../servers/cluster.ts'
import * as payloads from '../src/scenarios/payloads.ts'
import { ROUTES, routeAnswer } from '../src/scenarios/route-table.ts'

const PROFILE_SCHEMA = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    score: { type: 'integer' },
    active: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
  },
} as const

function addPlainRoutes(app: FastifyInstance): void {
  app.get('/', () => payloads.HELLO)
  // Fastify adds a charset to JSON types unless the reply names its serializer; this is the one
  // that it has compiled from the schema anyway.
  app.get<{ Querystring: { n: string } }>(
    '/json',
    { schema: { response: { 200: PROFILE_SCHEMA } } },
    (request, reply) =>
      reply
        .type(payloads.JSON_TYPE)
        .serializer(reply.getSerializationFunction('200') ?? JSON.stringify)
        .send(payloads.profile(Number(request.query.n))),
  )
  app.get('/headers', (request) => String(request.headers[payloads.TAG_HEADER] ?? ''))
  app.get<{ Querystring: { q: string; page: string; sort: string } }>('/search', (request) => {
    const { q, page, sort } = request.query
    return payloads.searchAnswer(q, page, sort)
  })
  app.get('/old', (_, reply) => reply.redirect(payloads.REDIRECT_TARGET))
  app.get('/page', (request, reply) => {
    reply.header('etag', payloads.ETAG)
    if (request.headers['if-none-match'] === payloads.ETAG) return reply.code(304).send()
    return reply.send(payloads.ETAG_BODY)
  })
  app.get('/large/64k', (_, reply) => reply.send(payloads.LARGE_64K))
  app.get('/large/1m', (_, reply) => reply.send(payloads.LARGE_1M))
  app.get('/stream', (_, reply) =>
    reply.type(payloads.TEXT_TYPE).send(Readable.from(payloads.streamedChunks())),
  )
  app.get('/events', (_, reply) =>
    reply.header('content-type', payloads.EVENTS_TYPE).send(Readable.from(payloads.serverEvents())),
  )
  app.setNotFoundHandler((_, reply) => reply.code(404).send(payloads.NOT_FOUND))
}

function addTable(app: FastifyInstance): void {
  for (const { index, pattern, params } of ROUTES) {
    const [first = '', second = ''] = params
    app.get<{ Params: Record<string, string> }>(pattern, ({ params: values }) =>
      routeAnswer(index, values[first], values[second]),
    )
  }
}

/** Plugins that hook into every request are kept to the routes that need them (encapsulation). */
function addPluginRoutes(app: FastifyInstance): void {
  app.register(async (scope) => {
    await scope.register(cookie)
    scope.get('/cookies', (request) => request.cookies[payloads.SESSION_COOKIE] ?? '')
  })
  app.register(async (scope) => {
    await scope.register(compress, { zlibOptions: { level: payloads.GZIP_LEVEL } })
    scope.get('/report', () => payloads.COMPRESSIBLE)
  })
  app.register(async (scope) => {
    await scope.register(formbody)
    scope.post<{ Body: Record<string, string> }>(
      '/form',
      (request) => request.body[payloads.FORM_FIELD],
    )
  })
}

function addBodyRoutes(app: FastifyInstance): void {
  app.register(async (scope) => {
    scope.addContentTypeParser(payloads.BYTES_TYPE, { parseAs: 'buffer' }, (_, body, done) =>
      done(null, body),
    )
    scope.post('/echo', (request, reply) => reply.send(request.body))
  })
  app.register(async (scope) => {
    // Not parsed: the handler reads the stream.
    scope.addContentTypeParser(payloads.BYTES_TYPE, (_, body, done) => done(null, body))
    scope.post<{ Body: Readable }>('/upload', async (request) => {
      let length = 0
      for await (const chunk of request.body) length += chunk.length
      return String(length)
    })
  })
}

await runWorkers(async (port) => {
  const app = fastify()
  addPlainRoutes(app)
  addTable(app)
  addPluginRoutes(app)
  addBodyRoutes(app)
  await app.listen({ port, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
})
