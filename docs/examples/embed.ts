import { text } from '@rr/core'
import { listen } from '@rr/listener'

// In one thread, for tests and for servers inside other programs.
const server = await listen(() => text('Hello from inside'), { host: '127.0.0.1', port: 0 })
console.log(`listening on ${server.url}`)

const response = await fetch(server.url)
console.log(await response.text())

await server.drain({ timeoutMs: 1000 })
