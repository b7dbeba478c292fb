import { type DrainNotice, type ProtocolConnection, RrError } from '@rr/core'
import type { NetTransport } from './net-transport.ts'
import { LINGER_MS, type OverloadRefusal } from './overload-refusal.ts'
import { ProxyHeaderParser } from './proxy-header.ts'
import type { ProxyFault, ProxyHeader } from './proxy-outcome.ts'

/** Why a connection is closed without its header having been taken. */
export type ProxyRefusal = ProxyFault | 'timeout' | 'incomplete' | 'untrusted'

/** The reasons in words, for whoever has to find the proxy's mistake. */
export const REFUSED_BECAUSE: Readonly<Record<ProxyRefusal, string>> = {
  signature: 'no header where one must be',
  'too-long': 'the header is too long',
  line: 'the line of version 1 is malformed',
  unassigned: 'a version, command, family or transport that is not assigned',
  length: 'the header is shorter than its addresses',
  tlv: 'an extension is malformed',
  checksum: 'the checksum is wrong',
  timeout: 'the header took too long to arrive',
  incomplete: 'the connection ended within the header',
  untrusted: 'the address is not in trustedProxies',
}

/** What connections that begin with a header share. */
export interface ProxiedConnectionOwner {
  readonly nowMs: () => number
  readonly headerTimeoutMs: number
  readonly refusal: OverloadRefusal
  /** False when the client has as many connections as it may. */
  readonly tryAdmit: (transport: NetTransport) => boolean
  /** Speaks the protocol that follows the header. */
  readonly connect: (transport: NetTransport) => ProtocolConnection
  readonly onRefused: (reason: ProxyRefusal, transport: NetTransport) => void
}

/**
 * A connection whose first bytes are a PROXY protocol header: reads it, gives the transport the
 * client's address, hands over to the protocol, and is out of the way.
 */
export class ProxiedConnection implements ProtocolConnection {
  readonly #transport: NetTransport
  readonly #owner: ProxiedConnectionOwner
  readonly #parser: ProxyHeaderParser = new ProxyHeaderParser()
  #deadlineMs: number
  /** What was told of a drain so far, for the protocol that follows. */
  #notice: DrainNotice | null = null
  #idleDeadlineMs = Number.POSITIVE_INFINITY
  /** The client is over its limit: its answer is on its way, what it sends is dropped. */
  #isRefused = false

  constructor(transport: NetTransport, owner: ProxiedConnectionOwner) {
    this.#transport = transport
    this.#owner = owner
    this.#deadlineMs = owner.nowMs() + owner.headerTimeoutMs
    transport.setDeadline(this.#deadlineMs)
  }

  /** Before the header is whole there is no request that could be lost. */
  get hasWork(): boolean {
    return false
  }

  onData(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#isRefused) return
    const end = offset + length
    const used = this.#parser.read(bytes.subarray(offset, end))
    const { outcome } = this.#parser
    if (outcome === null) return
    if (outcome.header === null) this.#refuse(outcome.fault)
    else this.#handOver(outcome.header, bytes, offset + used, end)
  }

  onEnd(): void {
    if (this.#isRefused) this.#transport.destroySoon()
    // Proxies look whether a server is there by a connection on which they send nothing.
    else if (!this.#parser.hasPart) this.#transport.destroy()
    else this.#refuse('incomplete')
  }

  onTimeout(): void {
    if (this.#owner.nowMs() < this.#deadlineMs) return
    if (this.#isRefused || this.#idleDeadlineMs === this.#deadlineMs) this.#transport.destroy()
    else this.#refuse('timeout')
  }

  onDrainNotice(notice: DrainNotice, idleDeadlineMs: number): void {
    this.#notice = notice
    this.#idleDeadlineMs = idleDeadlineMs
    if (!notice.isStopping) return
    this.#deadlineMs = Math.min(this.#deadlineMs, idleDeadlineMs)
    this.#transport.setDeadline(this.#deadlineMs)
  }

  onDrain(): void {}

  onClose(): void {}

  #handOver(header: ProxyHeader, bytes: Uint8Array, offset: number, end: number): void {
    const transport = this.#transport
    const { source, destination, tls } = header
    if (source !== null && destination !== null) transport.standFor(source, destination, tls)
    if (!this.#owner.tryAdmit(transport)) {
      this.#turnAway()
      return
    }
    const protocol = this.#owner.connect(transport)
    transport.start(protocol)
    if (this.#notice !== null) protocol.onDrainNotice(this.#notice, this.#idleDeadlineMs)
    if (end > offset) protocol.onData(bytes, offset, end - offset)
  }

  /** As a connection past the limit of the whole server is. */
  #turnAway(): void {
    const { refusal, nowMs } = this.#owner
    this.#isRefused = true
    if (refusal.mode === 'close') {
      this.#transport.destroy(new RrError('RR_REQUEST_ABORTED', 'too many connections'))
      return
    }
    this.#deadlineMs = nowMs() + LINGER_MS
    this.#transport.setDeadline(this.#deadlineMs)
    this.#transport.write(refusal.currentAnswer())
    this.#transport.end()
  }

  /** The sender gets to notice at once (proxy-protocol.txt §2.1). */
  #refuse(reason: ProxyRefusal): void {
    this.#owner.onRefused(reason, this.#transport)
    this.#transport.destroy(new RrError('RR_REQUEST_ABORTED', `PROXY protocol: ${reason}`))
  }
}
