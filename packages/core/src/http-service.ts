import { forwardingPolicy } from './forwarding.ts'
import type { RouteTable } from './handler.ts'
import type { HttpServiceOptions } from './http-service-options.ts'
import { Http1Connection } from './http1/connection.ts'
import type { Http1Context } from './http1/connection-context.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import type { ProtocolConnection, Transport } from './transport.ts'

/** Serves HTTP over any transport: one for a worker's listener. */
export interface HttpService {
  /** Speaks the protocol of a new connection. */
  connect(transport: Transport): ProtocolConnection
  /** Changes what answers, for requests that begin from now on, on open connections too. */
  replaceRoutes(routes: RouteTable): void
}

/** Wires a handler to the protocols. */
export function createHttpService(options: HttpServiceOptions): HttpService {
  const { limits, clock, metrics, durations = null, share = null } = options
  const { admission = null, onRefusal = null } = options
  const service = new RequestDispatcher(options)
  const forwarding = forwardingPolicy(limits)
  const context: Http1Context = {
    limits,
    clock,
    metrics,
    durations,
    share,
    service,
    admission,
    onRefusal,
    workerId: options.workerId ?? 1,
    forwarding,
  }
  return {
    connect: (transport) => {
      // Whether it is a proxy may be asked when it has gone, and has no address any more.
      if (forwarding !== null) void transport.peer
      return new Http1Connection(transport, context)
    },
    replaceRoutes: (routes) => service.replaceRoutes(routes),
  }
}
