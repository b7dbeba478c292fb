import { type Channel, channel } from 'node:diagnostics_channel'
import type { EndpointAddress } from '@rr/core'
import type { NetTransport } from './net-transport.ts'
import type { EventListener, ServerEvent } from './server-events.ts'

/** What the channels of connections are told: one object for each connection, the same in both. */
export interface ConnectionMessage {
  /** As `WorkerContext.workerId`. */
  readonly workerId: number
  /** What is spoken on it by its ALPN name (RFC 7301); HTTP/1.0 is spoken on such a one as well. */
  readonly protocol: 'http/1.1' | 'h2'
  readonly peer: EndpointAddress
  readonly local: EndpointAddress
  /** Why it broke; null while it is open, and after a regular end. */
  readonly error: Error | null
}

type EventOf<Type extends ServerEvent['type']> = Extract<ServerEvent, { readonly type: Type }>

/** What `rr:drain:started` is told. */
export interface DrainStartedMessage {
  /** The worker that drains; null for the server as a whole, told on the main thread. */
  readonly workerId: number | null
  /** Connections open in this worker; null for the server. */
  readonly connections: number | null
  /** What open connections are given to finish, in milliseconds. */
  readonly timeoutMs: number
}

/** What `rr:drain:ended` is told. */
export interface DrainEndedMessage {
  readonly workerId: number | null
  /** Connections that were cut with a request or an answer under way. */
  readonly remaining: number
}

/** The channels of this package, by name, with what they are told. */
export interface ServerChannels {
  /** In the thread that serves it: a connection was given a slot. */
  readonly 'rr:connection:open': ConnectionMessage
  readonly 'rr:connection:close': ConnectionMessage
  /** On the thread that called `serve()` or `listen()`, as the events of the same names. */
  readonly 'rr:worker:listening': EventOf<'worker-listening'>
  readonly 'rr:worker:failed': EventOf<'worker-failed'>
  readonly 'rr:worker:exited': EventOf<'worker-exited'>
  readonly 'rr:worker:stalled': EventOf<'worker-stalled'>
  readonly 'rr:worker:recovered': EventOf<'worker-recovered'>
  /** On the main thread for the server, and in each worker for itself. */
  readonly 'rr:drain:started': DrainStartedMessage
  readonly 'rr:drain:ended': DrainEndedMessage
}

/** The names of the channels of this package. */
export const SERVER_CHANNELS: readonly (keyof ServerChannels)[] = [
  'rr:connection:open',
  'rr:connection:close',
  'rr:worker:listening',
  'rr:worker:failed',
  'rr:worker:exited',
  'rr:worker:stalled',
  'rr:worker:recovered',
  'rr:drain:started',
  'rr:drain:ended',
]

// Held here: the registry of Node keeps channels weakly.
const opened: Channel = channel('rr:connection:open')
const closed: Channel = channel('rr:connection:close')
const drainStarted: Channel = channel('rr:drain:started')
const drainEnded: Channel = channel('rr:drain:ended')
const workers: Readonly<Partial<Record<ServerEvent['type'], Channel>>> = {
  'worker-listening': channel('rr:worker:listening'),
  'worker-failed': channel('rr:worker:failed'),
  'worker-exited': channel('rr:worker:exited'),
  'worker-stalled': channel('rr:worker:stalled'),
  'worker-recovered': channel('rr:worker:recovered'),
}

type OpenConnection = { -readonly [Key in keyof ConnectionMessage]: ConnectionMessage[Key] }
const connections = new WeakMap<NetTransport, OpenConnection>()

/** Tells of a connection that was accepted. */
export function publishOpen(transport: NetTransport, workerId: number): void {
  if (!opened.hasSubscribers && !closed.hasSubscribers) return
  const message = connectionMessage(transport, workerId)
  // Also for who hears only of the end: a socket that is closed knows its addresses no more.
  connections.set(transport, message)
  opened.publish(message)
}

/** Tells of a connection that is gone; not of one that nobody was told of, for want of its header. */
export function publishClose(transport: NetTransport, workerId: number): void {
  if (!closed.hasSubscribers || transport.awaitsHeader) return
  const message = connections.get(transport) ?? connectionMessage(transport, workerId)
  message.error = transport.error
  closed.publish(message)
}

function connectionMessage({ peer, local }: NetTransport, workerId: number): OpenConnection {
  return { workerId, protocol: 'http/1.1', peer, local, error: null }
}

/** Tells the channels, where there is one for an event, before a listener. */
export function publishingEvents(listener: EventListener): EventListener {
  return (event) => {
    publishServerEvent(event)
    listener(event)
  }
}

function publishServerEvent(event: ServerEvent): void {
  if (event.type === 'drain-started') {
    publishDrainStarted({ workerId: null, connections: null, timeoutMs: event.timeoutMs })
  } else if (event.type === 'drain-ended') {
    publishDrainEnded({ workerId: null, remaining: event.remaining })
  } else workers[event.type]?.publish(event)
}

export function publishDrainStarted(message: DrainStartedMessage): void {
  drainStarted.publish(message)
}

export function publishDrainEnded(message: DrainEndedMessage): void {
  drainEnded.publish(message)
}
