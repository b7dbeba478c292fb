import t from 'tap'
import { InputStash } from '../src/http1/input-stash.ts'

function keep(stash: InputStash, text: string): void {
  const borrowed = Buffer.from(`!!${text}!!`)
  stash.keep(borrowed, 2, 2 + text.length)
  borrowed.fill('?')
}

/** Takes everything out, and puts back what follows the first `used` bytes. */
function drain(stash: InputStash, used: number): { text: string; bytes: Uint8Array } {
  let result: { text: string; bytes: Uint8Array } = { text: '', bytes: new Uint8Array() }
  stash.drainInto((bytes, from, to) => {
    result = { text: Buffer.from(bytes.subarray(from, to)).toString(), bytes }
    if (from + used < to) stash.keep(bytes, from + used, to)
  })
  return result
}

t.test('keeps input in order, whatever happens in between', (t) => {
  const stash = new InputStash()
  keep(stash, 'abc')
  keep(stash, 'def')
  t.equal(stash.length, 6)
  t.equal(drain(stash, 2).text, 'abcdef')
  t.equal(stash.length, 4)
  keep(stash, 'gh')
  keep(stash, 'i'.repeat(100))
  t.equal(drain(stash, 5).text, `cdefgh${'i'.repeat(100)}`)
  t.equal(drain(stash, 101).text, `h${'i'.repeat(100)}`)
  t.equal(stash.length, 0)
  t.equal(drain(stash, 0).text, '')
  keep(stash, 'j')
  t.equal(drain(stash, 1).text, 'j')
  t.end()
})

t.test('what was taken goes back without a copy', (t) => {
  const stash = new InputStash()
  keep(stash, 'abcdef')
  const { bytes } = drain(stash, 1)
  t.equal(drain(stash, 1).bytes, bytes)
  t.equal(drain(stash, 1).bytes, bytes)
  t.end()
})

t.test('a byte at a time is not copied each time', (t) => {
  const stash = new InputStash()
  const buffers = new Set<Uint8Array>()
  for (let count = 0; count < 10_000; count++) {
    keep(stash, 'a')
    buffers.add(drain(stash, 0).bytes)
  }
  t.equal(stash.length, 10_000)
  t.ok(buffers.size < 20, `${buffers.size} buffers`)
  t.end()
})
