import type { HttpServiceOptions } from './http-service-options.ts'
import { Http1Connection, type Http1Context } from './http1/connection.ts'
import { RequestDispatcher } from './request-dispatcher.ts'
import type { ProtocolConnection, Transport } from './transport.ts'

/** Serves HTTP over any transport: one for a worker's listener. */
export interface HttpService {
  /** Speaks the protocol of a new connection. */
  connect(transport: Transport): ProtocolConnection
}

/** Wires a handler to the protocols. */
export function createHttpService(options: HttpServiceOptions): HttpService {
  const { limits, clock, metrics, durations = null } = options
  const service = new RequestDispatcher(options)
  const context: Http1Context = { limits, clock, metrics, durations, service }
  return { connect: (transport) => new Http1Connection(transport, context) }
}
