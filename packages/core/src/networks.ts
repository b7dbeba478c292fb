import { type IpAddress, isIpv4, parseIpAddress } from './ip-address.ts'

/** Names that stand for networks. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  // RFC 1122 §3.2.1.3, RFC 4291 §2.5.3.
  loopback: ['127.0.0.0/8', '::1/128'],
  // RFC 1918 §3, RFC 4193 §3.1.
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

interface Network {
  readonly address: IpAddress
  /** Of the 128 of an IPv6 address, or a mapped IPv4 one. */
  readonly prefixBits: number
  readonly isIpv4: boolean
}

/** What a list of networks may have in it, in words. */
export const NETWORK_FORMS: string = `an IP address, a network as in 10.0.0.0/8 or 2001:db8::/32, or ${Object.keys(NAMED).join(' or ')}`

/** True for an address, a network in CIDR form (RFC 4632 §3.1) or a name that stands for some. */
export function isNetwork(text: string): boolean {
  return Object.hasOwn(NAMED, text) || parseNetwork(text) !== null
}

/** A set of networks. An IPv4 network holds no IPv6 address, nor the other way round. */
export class Networks {
  readonly #networks: readonly Network[]

  /** @param list of what `isNetwork` is true for; the rest is left out */
  constructor(list: readonly string[]) {
    this.#networks = list
      .flatMap((text) => (Object.hasOwn(NAMED, text) ? NAMED[text]! : [text]))
      .map(parseNetwork)
      .filter((network) => network !== null)
  }

  get isEmpty(): boolean {
    return this.#networks.length === 0
  }

  /** True for an address in one of them; false for a text that is no address. */
  has(text: string): boolean {
    if (this.#networks.length === 0) return false
    // A zone, as in fe80::1%eth0, says on which link the address is, not which one it is.
    const zone = text.indexOf('%')
    const address = parseIpAddress(zone < 0 ? text : text.slice(0, zone))
    return address !== null && this.hasAddress(address)
  }

  hasAddress(address: IpAddress): boolean {
    const is4 = isIpv4(address)
    for (const network of this.#networks) {
      if (network.isIpv4 === is4 && isWithin(address, network)) return true
    }
    return false
  }
}

function isWithin(address: IpAddress, { address: base, prefixBits }: Network): boolean {
  for (let i = 0, bits = prefixBits; bits > 0; i++, bits -= 16) {
    const kept = bits >= 16 ? 0xffff : (0xffff << (16 - bits)) & 0xffff
    if (((address[i]! ^ base[i]!) & kept) !== 0) return false
  }
  return true
}

function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/')
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === null) return null
  const isDotted = !text.includes(':')
  const width = isDotted ? 32 : 128
  const length = slash < 0 ? String(width) : text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length) || Number(length) > width) return null
  const prefixBits = Number(length) + (isDotted ? 96 : 0)
  // A shorter prefix of a mapped address, such as ::/0, is a network of IPv6 addresses.
  return { address, prefixBits, isIpv4: prefixBits >= 96 && isIpv4(address) }
}
