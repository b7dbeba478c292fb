/**
 * IP addresses as text and as numbers. Written here because this package reaches no socket module;
 * and strict, because an address that two programs read differently is one that can be forged: no
 * leading zeros (octal to some), no zone, no short forms of IPv4 (RFC 6943 §3.1.1).
 */

/** Eight groups of 16 bits. An IPv4 address is its mapped form, `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). */
export type IpAddress = readonly number[]

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?=\d)|$)){4}$/
const GROUP = /^[0-9a-f]{1,4}$/i
const MAPPED_GROUP = 0xffff
/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const MAX_TEXT_LENGTH = 45

/** Reads an address (RFC 3986 §3.2.2 for IPv4, RFC 4291 §2.2 for IPv6), or gives null. */
export function parseIpAddress(text: string): IpAddress | null {
  if (text.length > MAX_TEXT_LENGTH) return null
  if (!text.includes(':')) return IPV4.test(text) ? mapped(text) : null
  const halves = text.split('::')
  if (halves.length > 2) return null
  const head = groupsOf(halves[0]!, halves.length === 1)
  if (halves.length === 1) return head?.length === 8 ? head : null
  const tail = groupsOf(halves[1]!, true)
  if (head === null || tail === null) return null
  const zeros = 8 - head.length - tail.length
  return zeros < 1 ? null : [...head, ...new Array<number>(zeros).fill(0), ...tail]
}

/** True for an IPv4 address, in whichever form it was written. */
export function isIpv4(address: IpAddress): boolean {
  if (address[5] !== MAPPED_GROUP) return false
  for (let i = 0; i < 5; i++) if (address[i] !== 0) return false
  return true
}

/** The one way to write an address: dotted for IPv4, else as RFC 5952 §4 has it. */
export function formatIpAddress(address: IpAddress): string {
  if (isIpv4(address)) {
    const [high, low] = [address[6]!, address[7]!]
    return `${high >>> 8}.${high & 255}.${low >>> 8}.${low & 255}`
  }
  const { start, length } = longestZeros(address)
  const text = (from: number, to: number): string =>
    address
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  return length < 2 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`
}

/** The first run of zero groups that no other one exceeds. */
function longestZeros(address: IpAddress): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  let length = 0
  for (let i = 0; i < 8; i++) {
    length = address[i] === 0 ? length + 1 : 0
    if (length > best.length) best = { start: i - length + 1, length }
  }
  return best
}

/** @param isEnd whether an IPv4 address may stand last */
function groupsOf(text: string, isEnd: boolean): number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) groups.push(Number.parseInt(part, 16))
    else if (isEnd && index === parts.length - 1 && IPV4.test(part)) {
      groups.push(...mapped(part).slice(6))
    } else return null
  }
  return groups.length > 8 ? null : groups
}

function mapped(text: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return [0, 0, 0, 0, 0, MAPPED_GROUP, (a << 8) | b, (c << 8) | d]
}
