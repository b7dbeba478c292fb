import t from 'tap'
import { KeyedHash } from '../src/keyed-hash.ts'

/** The published vectors of HalfSipHash-2-4-64 for inputs of an even length: 00, 01, 02, ... */
const VECTORS = [
  '218d1f59b9b83cc8',
  '064f39ef7c50eb57',
  'd5e78a175be52ea1',
  'ce3e91358aa2bc25',
  'edfee820bce4858c',
]

function textOfBytes(length: number): string {
  let text = ''
  for (let byte = 0; byte < length; byte += 2) text += String.fromCharCode(byte | ((byte + 1) << 8))
  return text
}

t.test('is HalfSipHash-2-4 of the bytes of UTF-16', async (t) => {
  const hash = new KeyedHash(0x03020100, 0x07060504)
  for (const [index, expected] of VECTORS.entries()) {
    hash.update(textOfBytes(index * 2))
    const result = Buffer.alloc(8)
    result.writeUInt32LE(hash.low, 0)
    result.writeUInt32LE(hash.high, 4)
    t.equal(result.toString('hex'), expected)
  }
})

t.test('another key gives other results', async (t) => {
  const [one, two] = [new KeyedHash(1, 2), new KeyedHash(1, 3)]
  one.update('192.0.2.1')
  two.update('192.0.2.1')
  t.not(one.low, two.low)
  t.not(one.high, two.high)
})
