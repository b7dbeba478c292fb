import { isIP } from 'node:net'

/**
 * Whether a request to a loopback address may be answered, by its Host. A page of any origin can
 * make its own host name resolve to 127.0.0.1 and then read answers as its own (DNS rebinding); it
 * can't make a browser send an address, or `localhost`, in place of that name.
 *
 * @param host undefined where there is none, as from an HTTP/1.0 probe: browsers always send one
 */
export function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return true
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1]?.toLowerCase()
  if (name === undefined) return false
  if (name.startsWith('[')) return isIP(name.slice(1, -1)) === 6
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name) === 4
}

/** True for an address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}
