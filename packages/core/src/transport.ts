import type { DrainNotice } from './drain-notice.ts'

/**
 * The seam between sockets and protocols.
 *
 * A protocol connection is sans-I/O: it is driven through `ProtocolConnection` and speaks through
 * `Transport`, and never sees a socket. Implemented by the listener package over node:net; tests
 * implement it over arrays.
 */

/** One end of a connection. */
export interface EndpointAddress {
  /** An IP address as text; empty where the client had left before anybody asked. */
  readonly address: string
  readonly port: number
  readonly family: 'IPv4' | 'IPv6' | 'unix'
}

/** What TLS negotiated; null on a plain transport. */
export interface TlsFacts {
  /** Such as `TLSv1.3`; empty where a proxy ends TLS and does not tell. */
  readonly protocol: string
  /** The cipher suite's name; empty likewise. */
  readonly cipher: string
  /** The protocol agreed on (RFC 7301), such as `h2`; null when none was. */
  readonly alpnProtocol: string | null
  /** The host name that the client asked for (SNI, RFC 6066 §3), or null. */
  readonly servername: string | null
}

/** What a protocol connection may ask of the transport under it. */
export interface Transport {
  /**
   * Sends bytes, or a string whose characters are all below U+0100, one byte each (latin1).
   * The transport owns the chunk until it is sent: the caller must not change it afterwards.
   * Returns false once more than its high-water mark waits to be sent; `onDrain` follows when
   * the backlog is gone. After `end` or `destroy` it does nothing and returns true.
   */
  write(chunk: Uint8Array | string): boolean
  /** Holds writes back until the matching `uncork`, so that they leave in one system call. */
  cork(): void
  /** Sends what `cork` held back. */
  uncork(): void
  /** Stops and restarts delivery of input. Both are idempotent. */
  pause(): void
  resume(): void
  /** Sends what was written, then half-closes (FIN). Input still arrives. */
  end(): void
  /**
   * Sends what was written, then closes both ways: for a peer that has said that it sends no more,
   * since what it sends all the same would reset the connection. `onClose` follows.
   */
  destroySoon(): void
  /**
   * Closes both ways at once; unsent output is lost. `onClose` follows. With an error the
   * connection is reset where that is possible, so that the peer can tell it from a regular end.
   */
  destroy(error?: Error): void
  /**
   * Asks for one `onTimeout` at or soon after `atMs` on the server's clock; Infinity for none.
   * Each call replaces the one before. Made to be called often: it costs a store.
   */
  setDeadline(atMs: number): void
  /** Bytes written and not yet handed to the kernel; falls while a large chunk is being sent. */
  readonly bufferedBytes: number
  readonly peer: EndpointAddress
  readonly local: EndpointAddress
  readonly tls: TlsFacts | null
}

/** What a transport drives. */
export interface ProtocolConnection {
  /**
   * True while a request is being received or answered, or output waits to be sent; false when
   * only the peer's next request, or its close, is awaited.
   */
  readonly hasWork: boolean
  /** Input. The bytes are borrowed for the length of the call: copy what is kept. */
  onData(bytes: Uint8Array, offset: number, length: number): void
  /** The peer will send no more (FIN). Output may still go. */
  onEnd(): void
  /** The transport is gone, in whatever way; called exactly once, nothing is called after it. */
  onClose(error: Error | null): void
  /** Output that `write` answered with false for has been sent. */
  onDrain(): void
  /** The deadline last set has passed. */
  onTimeout(): void
  /**
   * A drain, for those who are answering to know. When it `isStopping`, what is answered from now on
   * closes the connection, and an idle connection may stay until `idleDeadlineMs` on the server's
   * clock. Called again when another notice follows, or the deadline is brought forward.
   *
   * @param idleDeadlineMs Infinity for a notice without stopping
   */
  onDrainNotice(notice: DrainNotice, idleDeadlineMs: number): void
}

/** A coarse clock in milliseconds, advanced by its owner a few times a second; never goes back. */
export interface Clock {
  readonly nowMs: number
}
