import { isAuthority } from './authority.ts'
import { sliceTrimmed } from './field-syntax.ts'
import { parseForwardedElement } from './forwarded-element.ts'
import { formatIpAddress, type IpAddress, isIpv4, parseIpAddress } from './ip-address.ts'
import { Networks } from './networks.ts'
import type { RequestHeaders } from './request-headers.ts'
import type { EndpointAddress } from './transport.ts'

/** What trusted proxies say of a request; null where they say nothing that can be believed. */
export interface ForwardedFacts {
  /** The nearest address that is no trusted proxy's, or the furthest that is known. */
  readonly client: EndpointAddress
  readonly scheme: 'http' | 'https' | null
  readonly host: string | null
}

/** Which proxies are believed, and by which header. One for a server. */
export interface ForwardingPolicy {
  readonly trusted: Networks
  readonly headers: 'forwarded' | 'x-forwarded'
}

/** One proxy's account of the request that it was sent. */
interface Hop {
  /** Null where it tells no address. */
  readonly address: IpAddress | null
  readonly port: number
  readonly proto: string | null
  readonly host: string | null
}

/** More proxies in a row than any network has; bounds the work on a header that only grows. */
const MAX_HOPS = 64

/** The policy that the options ask for, or null: then no header is looked at. */
export function forwardingPolicy(limits: {
  readonly trustedProxies: readonly string[]
  readonly forwardedHeaders: 'off' | 'forwarded' | 'x-forwarded'
}): ForwardingPolicy | null {
  const { trustedProxies, forwardedHeaders: headers } = limits
  if (headers === 'off' || trustedProxies.length === 0) return null
  return { trusted: new Networks(trustedProxies), headers }
}

/**
 * Reads what the proxies in front have added. Each proxy adds at the right the address that it was
 * sent the request from, so the list is believed from the right, as far as those who added to it are
 * trusted: what stands further left is anybody's. A hop without an address (`unknown`, an obfuscated
 * identifier, anything malformed) ends the walk too.
 *
 * @returns null when `peer` itself is not trusted
 */
export function readForwarded(
  headers: RequestHeaders,
  peer: EndpointAddress,
  policy: ForwardingPolicy,
): ForwardedFacts | null {
  const { trusted } = policy
  if (!trusted.has(peer.address)) return null
  const hops = policy.headers === 'forwarded' ? forwardedHops(headers) : xForwardedHops(headers)
  let client = peer
  let scheme: ForwardedFacts['scheme'] = null
  let host: string | null = null
  let count = 0
  for (const hop of hops) {
    if (hop === null || count++ === MAX_HOPS) break
    scheme = readScheme(hop.proto) ?? scheme
    host = readHost(hop.host) ?? host
    if (hop.address === null) break
    client = endpoint(hop.address, hop.port)
    if (!trusted.hasAddress(hop.address)) break
  }
  return { client, scheme, host }
}

/** The elements of Forwarded (RFC 7239 §4) from the last one on; null for a malformed one. */
function* forwardedHops(headers: RequestHeaders): Generator<Hop | null> {
  const text = headers.get('forwarded')
  if (text === null) return
  for (let end = text.length; end >= 0; ) {
    const start = elementStart(text, end)
    const element = sliceTrimmed(text, start, end)
    // A list may have empty elements (RFC 9110 §5.6.1).
    if (element !== '') yield forwardedHop(element)
    end = start - 1
  }
}

/**
 * Where the list element that ends at `end` starts. Found from the right, so that a quote which a
 * client leaves open can't swallow what trusted proxies have added behind it.
 */
function elementStart(text: string, end: number): number {
  let isQuoted = false
  for (let i = end - 1; i >= 0; i--) {
    const code = text.charCodeAt(i)
    if (code === 0x22 && !isEscaped(text, i)) isQuoted = !isQuoted
    else if (code === 0x2c && !isQuoted) return i + 1
  }
  return 0
}

function isEscaped(text: string, position: number): boolean {
  let start = position
  while (start > 0 && text.charCodeAt(start - 1) === 0x5c) start--
  return (position - start) % 2 === 1
}

function forwardedHop(element: string): Hop | null {
  const pairs = parseForwardedElement(element)
  if (pairs === null) return null
  const node = pairs.get('for')
  const proto = pairs.get('proto') ?? null
  const host = pairs.get('host') ?? null
  return { ...parseNode(node ?? ''), proto, host }
}

/** A node identifier (RFC 7239 §6); an obfuscated port is none. */
function parseNode(node: string): { readonly address: IpAddress | null; readonly port: number } {
  const [, bracketed, plain = '', port = ''] =
    /^(?:\[([\da-f:.]+)\]|([\d.]+))(?::(\d{1,5}|_[\w.-]+))?$/i.exec(node) ?? []
  const address = parseIpAddress(bracketed ?? plain)
  const isRightForm = address !== null && bracketed?.includes(':') !== false
  const number = port.startsWith('_') ? 0 : Number(port)
  if (!isRightForm || number > 65_535) return { address: null, port: 0 }
  return { address, port: number }
}

/**
 * X-Forwarded-For from its last element on, each with what stands at its place, counted from the
 * right, in X-Forwarded-Proto and -Host; proxies that replace those leave one element for all.
 */
function* xForwardedHops(headers: RequestHeaders): Generator<Hop | null> {
  const nodes = headers.get('x-forwarded-for') ?? ''
  const protos = fromRight(headers.get('x-forwarded-proto'))
  const hosts = fromRight(headers.get('x-forwarded-host'))
  let count = 0
  for (const node of fromRight(nodes)) {
    count++
    yield { ...parseLooseNode(node), proto: next(protos), host: next(hosts) }
  }
  if (count === 0) yield { address: null, port: 0, proto: next(protos), host: next(hosts) }
}

/** An IPv6 address stands there without brackets, too. */
function parseLooseNode(node: string): ReturnType<typeof parseNode> {
  const plain = parseIpAddress(node)
  return plain === null ? parseNode(node) : { address: plain, port: 0 }
}

function* fromRight(list: string | null): Generator<string, void> {
  if (list === null) return
  for (let end = list.length; end >= 0; ) {
    const start = end === 0 ? 0 : list.lastIndexOf(',', end - 1) + 1
    const element = sliceTrimmed(list, start, end)
    if (element !== '') yield element
    end = start - 1
  }
}

function next(elements: Generator<string, void>): string | null {
  return elements.next().value ?? null
}

function readScheme(proto: string | null): ForwardedFacts['scheme'] {
  const lower = proto?.toLowerCase()
  return lower === 'http' || lower === 'https' ? lower : null
}

/** By the grammar of Host (RFC 7239 §5.3), so that nothing else gets into URLs and redirects. */
function readHost(host: string | null): string | null {
  const isValid = host !== null && host !== '' && !host.startsWith(':') && isAuthority(host)
  return isValid ? host : null
}

function endpoint(address: IpAddress, port: number): EndpointAddress {
  const family = isIpv4(address) ? 'IPv4' : 'IPv6'
  return { address: formatIpAddress(address), port, family }
}
