import { createServer } from 'node:http'

// What rr's hello example answers, written as Node's own documentation writes a server.
const server = createServer((request, response) => {
  if (request.method === 'GET' && request.url === '/') {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8')
    response.end('Hello, World!')
  } else {
    response.statusCode = 404
    response.end('Not Found')
  }
})

server.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) {
    console.log(`listening on http://127.0.0.1:${address.port}`)
  }
})
