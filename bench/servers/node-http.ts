import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runWorkers } from './cluster.ts'
import { handle } from './node-http-app.ts'

await runWorkers(async (port) => {
  const server = createServer(handle).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
})
