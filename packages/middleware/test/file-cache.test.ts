import t from 'tap'
import { type CachedFile, FileCache } from '../src/file-cache.ts'
import { describeFile } from '../src/representation.ts'

/** What an entry costs beside its content and twice the length of its name. */
const ENTRY_BYTES = 2048

function fileOf(sizeBytes: number): CachedFile {
  const facts = { sizeBytes, mtimeMs: 0, identity: String(sizeBytes) }
  return { representation: describeFile(facts, []), content: new Uint8Array(sizeBytes) }
}

t.test('what is kept is fresh until revalidateMs has passed', async (t) => {
  const cache = new FileCache(100_000, 1000)
  const file = fileOf(10)
  t.equal(cache.fresh('a', 0), undefined)
  cache.keep('a', file, 0)
  t.equal(cache.fresh('a', 0), file)
  t.equal(cache.fresh('a', 999), file)
  t.equal(cache.fresh('a', 1000), undefined, 'one is to look')
  t.equal(cache.fresh('a', 1001), file, 'while others go on')
  t.equal(cache.last('a'), file)
})

t.test('that there is no file is kept as well', async (t) => {
  const cache = new FileCache(100_000, 1000)
  cache.keep('a', null, 0)
  t.equal(cache.fresh('a', 1), null)
  t.equal(cache.last('a'), null)
})

t.test('up to maxCacheBytes, and then the least recently used goes', async (t) => {
  const each = ENTRY_BYTES + 2 + 100
  const cache = new FileCache(3 * each, 1000)
  for (const name of ['a', 'b', 'c']) cache.keep(name, fileOf(100), 0)
  t.equal(cache.bytes, 3 * each)
  t.ok(cache.fresh('a', 0), 'all fit, and this one was used')
  cache.keep('d', fileOf(100), 0)
  t.equal(cache.bytes, 3 * each)
  t.equal(cache.fresh('b', 0), undefined)
  for (const name of ['a', 'c', 'd']) t.ok(cache.fresh(name, 0), name)
  cache.keep('d', fileOf(101), 0)
  t.ok(cache.bytes <= 3 * each)
})

t.test('an entry of exactly the bound is kept, one byte more is not', async (t) => {
  const cache = new FileCache(ENTRY_BYTES + 2 + 100, 1000)
  cache.keep('a', fileOf(99), 0)
  t.ok(cache.fresh('a', 0))
  cache.keep('a', fileOf(100), 0)
  t.ok(cache.fresh('a', 0))
  cache.keep('a', fileOf(101), 0)
  t.equal(cache.fresh('a', 0), undefined)
  t.equal(cache.bytes, 0)
})

t.test('0 keeps nothing', async (t) => {
  const cache = new FileCache(0, 1000)
  cache.keep('a', fileOf(0), 0)
  cache.keep('b', null, 0)
  t.equal(cache.bytes, 0)
  t.equal(cache.fresh('a', 0), undefined)
})

t.test('what is dropped frees its bytes', async (t) => {
  const cache = new FileCache(100_000, 1000)
  cache.keep('a', fileOf(5), 0)
  cache.drop('a')
  cache.drop('a')
  t.equal(cache.bytes, 0)
})
