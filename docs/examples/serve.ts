import { serve } from '@rr/listener'

// Two worker threads, each with its own copy of the application, from inside a program.
const server = await serve(new URL('./hello.ts', import.meta.url), {
  host: '127.0.0.1',
  port: 0,
  workers: 2,
  onEvent: (event) => {
    if (event.type === 'worker-listening') console.log(`worker ${event.workerId} listens`)
  },
})

const response = await fetch(server.url)
console.log(await response.text())

const { requests, workers } = server.info()
console.log(`${requests} request, ${workers.length} workers`)

// Stops accepting, answers what has been asked, closes. Cut off after the time given.
const result = await server.drain({ timeoutMs: 10_000 })
console.log(result.drained ? 'all were answered' : `${result.remaining} were cut off`)
