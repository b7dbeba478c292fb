import t from 'tap'
import { ResponseReader } from '../../src/drivers/response-reader.ts'

/** Feeds the pieces and lists what was read. */
function read(pieces: readonly string[], options: { isHead?: boolean; ends?: boolean } = {}) {
  const seen: string[] = []
  let body = ''
  const reader = new ResponseReader({
    onHead: () => {
      reader.wantsBody = true
      body = ''
      return options.isHead ?? false
    },
    onInterim: (status) => void seen.push(`interim ${status}`),
    onBody: (bytes, start, end) => {
      body += bytes.toString('latin1', start, end)
    },
    onResponse: (status, bytes, isReusable) =>
      void seen.push(`${status} ${bytes} ${body} ${isReusable ? 'open' : 'close'}`),
  })
  // One buffer for all reads, larger than each of them, as the driver has it.
  const buffer = Buffer.alloc(1024, '\n')
  const areRead = pieces.every((piece) => reader.feed(buffer, buffer.write(piece, 'latin1')))
  const isWhole = options.ends === true ? reader.end() : true
  return { seen, isRight: areRead && isWhole }
}

const STREAMS: readonly { title: string; text: string; seen: string[]; isHead?: boolean }[] = [
  {
    title: 'lengths, two answers in one stream',
    text:
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello' +
      'HTTP/1.1 404 Not Found\r\ncontent-length:  0\r\n\r\n',
    seen: ['200 5 hello open', '404 0  open'],
  },
  {
    title: 'chunks with an extension and trailers',
    text:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n' +
      'A;x=y\r\n0123456789\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n' +
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    seen: ['200 13 0123456789abc open', '200 0  open'],
  },
  {
    title: 'interim answers before the final one',
    text: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n',
    seen: ['interim 100', 'interim 103', '204 0  open'],
  },
  {
    title: '304 announces a body that does not come',
    text: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 X\r\n\r\n',
    seen: ['304 0  open', '304 0  open'],
  },
  {
    title: 'so does an answer to HEAD',
    text: 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    isHead: true,
    seen: ['200 0  open', '200 0  open'],
  },
  {
    title: 'connection close, and HTTP/1.0',
    text:
      'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na' +
      'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb' +
      'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nCookie: close\r\nTE: x\r\nC\r\nContent-Length: 1\r\n\r\nc',
    seen: ['200 1 a close', '200 1 b close', '200 1 c open'],
  },
]

for (const { title, text, seen, isHead = false } of STREAMS) {
  t.test(title, async (t) => {
    t.same(read([text], { isHead, ends: true }), { seen, isRight: true })
    t.same(read([...text], { isHead, ends: true }), { seen, isRight: true }, 'byte by byte')
    for (let at = 1; at < text.length; at++) {
      const { seen: split } = read([text.slice(0, at), text.slice(at)], { isHead })
      t.same(split, seen, `split at ${at}`)
    }
  })
}

t.test('without a length the body goes to the end of the connection', async (t) => {
  const pieces = ['HTTP/1.1 200 OK\r\n\r\nab', 'c']
  t.same(read(pieces), { seen: [], isRight: true })
  t.same(read(pieces, { ends: true }), { seen: ['200 3 abc close'], isRight: true })
})

t.test('an end within an answer is none', async (t) => {
  for (const text of [
    'HTTP/1.1 200 O',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n',
  ]) {
    t.same(read([text], { ends: true }), { seen: [], isRight: false }, text)
  }
})

t.test('what makes no sense is refused', async (t) => {
  for (const text of [
    'GET / HTTP/1.1\r\n\r\n',
    'HTTP/1.1 xyz OK\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 1x\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc',
  ]) {
    t.equal(read([text]).isRight, false, text)
  }
  const endless = Array.from({ length: 100 }, () => 'x'.repeat(1000))
  t.equal(read(['HTTP/1.1 200 OK\r\n', ...endless]).isRight, false, 'a head without an end')
})
