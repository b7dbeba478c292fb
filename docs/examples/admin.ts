import { serve } from '@rr/listener'

// Health, metrics and the live page, on a port of their own and on the main thread. A real server
// takes a fixed port, such as 9090, and leaves `adminHost` at the loopback address or firewalls it.
const server = await serve(new URL('./users.ts', import.meta.url), {
  host: '127.0.0.1',
  port: 0,
  workers: 2,
  adminPort: 0,
  // Balancers that poll /readyz have this long to notice a drain before nobody is accepted any more.
  drainDelayMs: 500,
})
const admin = server.admin!.url

for (const id of [1, 2, 3]) await fetch(`${server.url}/users/${id}`)

const metrics = await (await fetch(`${admin}/metrics`)).text()
const handled = metrics.matchAll(/^rr_requests_total\{worker="\d+"\} (\d+)$/gm)
console.log(
  [...handled].reduce((sum, [, count]) => sum + Number(count), 0),
  'requests',
)
console.log('ready:', (await fetch(`${admin}/readyz`)).status)

const drained = server.drain()
console.log('draining:', (await fetch(`${admin}/readyz`)).status)
console.log('still answers:', (await fetch(`${server.url}/nothing`)).status)
await drained
