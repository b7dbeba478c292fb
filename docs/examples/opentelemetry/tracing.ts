import {
  type ChannelListener,
  subscribe,
  tracingChannel,
  unsubscribe,
} from 'node:diagnostics_channel'
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { SimpleSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
} from '@opentelemetry/semantic-conventions'
import { type HttpRequest, REQUEST_TRACING, type RequestMessage } from '@rr/core'
import { ContextStorage } from './context-storage.ts'

/** Others are a client's invention: each would be a series of its own. */
const METHODS = new Set('GET HEAD POST PUT PATCH DELETE OPTIONS TRACE QUERY'.split(' '))

const headers: TextMapGetter<HttpRequest> = {
  get: (request, name) => request.headers.get(name) ?? undefined,
  keys: (request) => [...request.headers].map(([name]) => name),
}

/**
 * Gives each request that this thread serves a server span, which is the active one in its handler,
 * and each outgoing `fetch` a client span. Call it in a worker's `setup`.
 *
 * @returns ends tracing, with all spans exported
 */
export function startTracing(exporter: SpanExporter): () => Promise<void> {
  const manager = new ContextStorage()
  // A service of its own would batch: `new BatchSpanProcessor({ exporter })`.
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  context.setGlobalContextManager(manager)
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(provider)
  const outgoing = new UndiciInstrumentation()

  const tracer = provider.getTracer('rr')
  const spans = new WeakMap<RequestMessage, Span>()

  /** What the channel binds: the context in which the handler runs. */
  const begin = (message: RequestMessage): Context => {
    const { request } = message
    const parent = propagation.extract(ROOT_CONTEXT, request, headers)
    const attributes = startAttributes(message)
    const name = String(attributes[ATTR_HTTP_REQUEST_METHOD])
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
    spans.set(message, span)
    return trace.setSpan(parent, span)
  }
  const onEnd: ChannelListener = (given) => {
    const message = given as RequestMessage
    const span = spans.get(message)
    if (span === undefined) return
    finish(span, message)
    span.end()
  }

  const { start } = tracingChannel<RequestMessage, Context>(REQUEST_TRACING)
  start.bindStore(manager.storage, begin)
  subscribe('rr:request:end', onEnd)
  return async () => {
    start.unbindStore(manager.storage)
    unsubscribe('rr:request:end', onEnd)
    outgoing.disable()
    await provider.shutdown()
  }
}

function startAttributes({ request }: RequestMessage): Record<string, string> {
  const { method, path, httpVersion, tls, peer } = request
  return {
    [ATTR_HTTP_REQUEST_METHOD]: METHODS.has(method) ? method : '_OTHER',
    ...(METHODS.has(method) ? {} : { [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method }),
    [ATTR_URL_PATH]: path,
    [ATTR_URL_SCHEME]: tls === null ? 'http' : 'https',
    [ATTR_NETWORK_PROTOCOL_VERSION]: httpVersion,
    [ATTR_CLIENT_ADDRESS]: peer.address,
  }
}

/** What is known at the end only: the route, the status, and what went wrong. */
function finish(span: Span, { request, route, status, error }: RequestMessage): void {
  if (route !== null) {
    span.setAttribute(ATTR_HTTP_ROUTE, route)
    span.updateName(`${METHODS.has(request.method) ? request.method : '_OTHER'} ${route}`)
  }
  if (status !== 0) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status)
  // A 404 is an answer: of a server, only what it failed at is an error.
  const isFailure = status >= 500 || status === 0
  if (!isFailure) return
  if (error instanceof Error) span.recordException(error)
  span.setAttribute(ATTR_ERROR_TYPE, error instanceof Error ? error.name : String(status))
  span.setStatus({ code: SpanStatusCode.ERROR })
}
