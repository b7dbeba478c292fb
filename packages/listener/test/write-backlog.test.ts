import t from 'tap'
import { MAX_PIECE_BYTES, WriteBacklog } from '../src/write-backlog.ts'

function takeAll(backlog: WriteBacklog): (Uint8Array | string)[] {
  const pieces: (Uint8Array | string)[] = []
  while (backlog.bytes > 0) pieces.push(backlog.shift())
  return pieces
}

t.test('gives back what was put in, in order, in pieces', async (t) => {
  const backlog = new WriteBacklog()
  const large = Buffer.alloc(MAX_PIECE_BYTES * 2 + 3, 'x')
  const text = 'y'.repeat(MAX_PIECE_BYTES + 1)
  backlog.push('head')
  backlog.push(large)
  backlog.push(text)
  backlog.push(Buffer.from('tail'))
  t.equal(backlog.bytes, 4 + large.length + text.length + 4)
  const pieces = takeAll(backlog)
  t.ok(pieces.every((piece) => piece.length > 0 && piece.length <= MAX_PIECE_BYTES))
  const whole = pieces.map((piece) => Buffer.from(piece as string).toString('latin1')).join('')
  t.equal(whole, `head${large.toString('latin1')}${text}tail`)
  t.equal(backlog.bytes, 0)
})

t.test('chunks at the size of a piece and next to it', async (t) => {
  for (const size of [1, MAX_PIECE_BYTES - 1, MAX_PIECE_BYTES, MAX_PIECE_BYTES + 1]) {
    const backlog = new WriteBacklog()
    backlog.push('z'.repeat(size))
    const sizes = takeAll(backlog).map((piece) => piece.length)
    t.strictSame(sizes, size > MAX_PIECE_BYTES ? [MAX_PIECE_BYTES, 1] : [size])
  }
})

t.test('many chunks, taken while more come', async (t) => {
  const backlog = new WriteBacklog()
  let put = 0
  let taken = 0
  for (let round = 0; round < 10_000; round++) {
    backlog.push(String(put++ % 10))
    backlog.push(String(put++ % 10))
    if (backlog.shift() !== String(taken++ % 10)) t.fail(`chunk ${taken}`)
  }
  while (backlog.bytes > 0) if (backlog.shift() !== String(taken++ % 10)) t.fail(`chunk ${taken}`)
  t.equal(taken, put)
})

t.test('a chunk that fits is passed on as it is', async (t) => {
  const backlog = new WriteBacklog()
  const chunk = Buffer.from('same')
  backlog.push(chunk)
  t.equal(backlog.shift(), chunk)
})
