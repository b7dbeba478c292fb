/** Host and port as they stand in a URL: an IPv6 address in brackets (RFC 3986 §3.2.2). */
export function authorityOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The URL of a server's root, without a slash at the end: `httpUrl('::1', 80)` is `http://[::1]:80`. */
export function httpUrl(host: string, port: number): string {
  return `http://${authorityOf(host, port)}`
}
