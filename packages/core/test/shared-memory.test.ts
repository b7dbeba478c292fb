import { MAX_SHARED_BYTES, provideSharedMemory, SharedMemoryStore, sharedMemory } from '@rr/core'
import t from 'tap'

const refusal = (message: RegExp): { code: string; message: RegExp } => ({
  code: 'RR_SHARED_MEMORY',
  message,
})

t.test('one name gives one block, zero at first', async (t) => {
  const store = new SharedMemoryStore()
  const block = store.get('a', 16)
  t.equal(block.byteLength, 16)
  t.ok(new Uint8Array(block).every((byte) => byte === 0))
  t.equal(store.get('a', 16), block)
  t.not(store.get('b', 16), block)
})

t.test('another size for a name that has a block is refused, and the block stays', async (t) => {
  const store = new SharedMemoryStore()
  const block = store.get('a', 16)
  for (const bytes of [15, 17, 0, Number.NaN]) {
    t.throws(() => store.get('a', bytes), refusal(/'a' has 16 bytes, and was asked for with/))
  }
  t.equal(store.get('a', 16), block)
})

t.test('sizes and names that are none are refused', async (t) => {
  const store = new SharedMemoryStore()
  for (const bytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => store.get('a', bytes), refusal(/a size is a whole number/))
  }
  t.throws(() => store.get('', 1), refusal(/a name has 1 to 256/))
  t.throws(() => store.get('x'.repeat(257), 1), refusal(/a name has 1 to 256/))
  t.equal(store.get('x'.repeat(256), 1).byteLength, 1)
})

t.test('the sum of all blocks is bounded: one byte below, at and over the bound', async (t) => {
  const store = new SharedMemoryStore()
  store.get('most', MAX_SHARED_BYTES - 2)
  store.get('below', 1)
  t.throws(() => store.get('over', 2), refusal(/over 268435456/))
  store.get('at', 1)
  t.throws(() => store.get('over', 1), refusal(/over 268435456/))
})

t.test('the number of blocks is bounded', async (t) => {
  const store = new SharedMemoryStore()
  for (let count = 0; count < 1024; count++) store.get(`block ${count}`, 1)
  t.throws(() => store.get('one more', 1), refusal(/there are 1024 blocks/))
  t.equal(store.get('block 7', 1).byteLength, 1)
})

t.test('a thread has blocks of its own until it is given others', async (t) => {
  t.equal(sharedMemory('own', 8), sharedMemory('own', 8))
  const other = new SharedArrayBuffer(8)
  provideSharedMemory(() => other)
  t.equal(sharedMemory('own', 8), other)
})
