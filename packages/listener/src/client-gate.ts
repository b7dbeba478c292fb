import { clientKey, type EndpointAddress, Networks } from '@rr/core'
import type { ClientSlots } from './client-slots.ts'
import type { ThreadSettings } from './server-options.ts'

/** Who may connect, and how many times: what admission asks beyond the limit of the whole server. */
export interface ClientGate {
  readonly trusted: Networks
  readonly proxyProtocol: ThreadSettings['proxyProtocol']
  readonly headerTimeoutMs: number
  /** Null without a limit by client. */
  readonly slots: ClientSlots | null
  readonly ipv6PrefixBits: number
}

/** The gate that the options ask for; null, which costs nothing, when everybody may come in. */
export function clientGate(settings: ThreadSettings, slots: ClientSlots | null): ClientGate | null {
  if (settings.proxyProtocol === 'off' && slots === null) return null
  return {
    trusted: new Networks(settings.trustedProxies),
    proxyProtocol: settings.proxyProtocol,
    headerTimeoutMs: settings.proxyHeaderTimeoutMs,
    slots,
    ipv6PrefixBits: settings.clientIpv6PrefixBits,
  }
}

/** Not one of many to be told apart: no address, or a proxy, whose connections are many clients'. */
const NOT_COUNTED = 0
const REFUSED = -1

/**
 * Counts a connection of a client.
 *
 * @returns what is to be released, `NOT_COUNTED`, or -1 when the client has as many as it may
 */
export function tryAcquireClient(gate: ClientGate, client: EndpointAddress): number {
  const { slots, trusted, ipv6PrefixBits } = gate
  if (slots === null || client.address === '' || trusted.has(client.address)) return NOT_COUNTED
  return slots.tryAcquire(clientKey(client, ipv6PrefixBits)) || REFUSED
}
