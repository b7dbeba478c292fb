import t from 'tap'
import { encodeRequest, requestBytes } from '../../src/drivers/request-bytes.ts'
import { get } from './support/plans.ts'

const HOST = '127.0.0.1:8080'

t.test('Host first, then the fields in their order', async (t) => {
  const request = get('/a?b', {
    headers: [
      ['x-one', '1'],
      ['x-two', 'ü'],
    ],
  })
  const wire = encodeRequest(request, HOST, false)
  t.equal(wire.text, 'GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nx-one: 1\r\nx-two: ü\r\n\r\n')
  t.equal(wire.isHead, false)
  t.equal(encodeRequest(get('/', { method: 'HEAD' }), HOST, false).isHead, true)
})

t.test(
  'connection: close for connections that are not reused, unless the scenario says',
  async (t) => {
    t.match(encodeRequest(get('/'), HOST, true).text, /\r\nConnection: close\r\n/)
    const headers = [['connection', 'keep-alive']] as const
    t.notMatch(encodeRequest(get('/', { headers }), HOST, true).text, /close/)
  },
)

t.test('a small body goes out with its head, byte for byte', async (t) => {
  const body = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const wire = encodeRequest(get('/', { method: 'POST', body }), HOST, false)
  t.equal(wire.rest, null)
  t.match(wire.text, /\r\nContent-Length: 256\r\n\r\n/)
  t.equal(Buffer.compare(requestBytes(wire).subarray(-256), body), 0)
})

t.test('a large body, and one that waits for a 100, goes out after its head', async (t) => {
  const body = new Uint8Array(20_000)
  const large = encodeRequest(get('/', { body }), HOST, false)
  t.equal(large.rest?.length, 20_000)
  t.equal(large.awaitsContinue, false)
  const small = new Uint8Array(10)
  const waiting = encodeRequest(get('/', { body: small, bodyMode: 'expect-continue' }), HOST, false)
  t.match(waiting.text, /\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n$/)
  t.equal(waiting.rest?.length, 10)
  t.equal(waiting.awaitsContinue, true)
})

t.test('a chunked body is whole when its chunks are put together', async (t) => {
  for (const length of [0, 1, 256, 1000, 2_000_000]) {
    const body = Uint8Array.from({ length }, (_, at) => at % 251)
    const wire = encodeRequest(get('/', { body, bodyMode: 'chunked' }), HOST, false)
    const bytes = requestBytes(wire)
    let at = bytes.indexOf('\r\n\r\n') + 4
    const parts: Buffer[] = []
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', at)
      const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
      at = lineEnd + 2 + size + 2
      if (size === 0) break
      parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    }
    t.equal(at, bytes.length)
    t.equal(Buffer.compare(Buffer.concat(parts), body), 0, `${length} bytes`)
  }
})
