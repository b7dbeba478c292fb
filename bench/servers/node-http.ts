import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runWorkers } from './cluster.ts'
import { handle } from './node-http-app.ts'

await runWorkers(async (port) => {
  const server = createServer(handle).listen(port, '127.0.0.1')
  // Its default of 5 s is too short to look at idle connections.
  const keepAliveMs = process.env['KEEP_ALIVE_MS']
  if (keepAliveMs !== undefined) server.keepAliveTimeout = Number(keepAliveMs)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
})
