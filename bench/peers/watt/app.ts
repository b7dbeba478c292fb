import { createServer, type Server } from 'node:http'
import { handle } from '../../servers/node-http-app.ts'

// Watt calls this in each of its worker threads and makes the server listen.
export function create(): Server {
  return createServer(handle)
}
