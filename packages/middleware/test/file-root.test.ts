import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { FileRoot, type SymlinkPolicy } from '../src/file-root.ts'
import { parseStaticPath } from '../src/static-path.ts'
import { openFilesIn, temporaryFolder } from './support/file-server.ts'

function tree(t: Test): string {
  const folder = temporaryFolder(t)
  const root = join(folder, 'root')
  mkdirSync(join(root, 'sub'), { recursive: true })
  mkdirSync(join(folder, 'root-private'))
  writeFileSync(join(folder, 'secret'), '')
  writeFileSync(join(folder, 'root-private/secret'), '')
  writeFileSync(join(root, 'a'), '')
  writeFileSync(join(root, 'sub/b'), '')
  symlinkSync('a', join(root, 'to-a'))
  symlinkSync('sub', join(root, 'to-sub'))
  symlinkSync('../secret', join(root, 'to-secret'))
  symlinkSync('to-secret', join(root, 'to-to-secret'))
  symlinkSync('..', join(root, 'to-parent'))
  symlinkSync(folder, join(root, 'to-folder'))
  symlinkSync('../root-private', join(root, 'to-private'))
  symlinkSync('../root', join(root, 'to-root'))
  symlinkSync('loop', join(root, 'loop'))
  return root
}

const expected: readonly [path: string, inside: boolean, deny: boolean, follow: boolean][] = [
  ['a', true, true, true],
  ['sub/b', true, true, true],
  ['none', false, false, false],
  ['to-a', true, false, true],
  ['to-sub/b', true, false, true],
  ['to-root/a', true, false, true],
  ['to-secret', false, false, true],
  ['to-to-secret', false, false, true],
  ['to-parent/secret', false, false, true],
  ['to-folder/secret', false, false, true],
  ['to-private/secret', false, false, true],
  ['loop', false, false, false],
]

const ways: [name: string, descriptors: string | null][] = [
  ['by the paths before and after', null],
  ['where /proc is not mounted', '/nonexistent/fd'],
]
if (process.platform === 'linux') ways.unshift(['by the descriptor', '/proc/self/fd'])

for (const [name, descriptors] of ways) {
  t.test(`links are told ${name}`, async (t) => {
    const root = tree(t)
    for (const [column, symlinks] of (['inside', 'deny', 'follow'] as SymlinkPolicy[]).entries()) {
      const folder = new FileRoot(root, symlinks, descriptors)
      for (const row of expected) {
        const opened = await folder.open(row[0].split('/'))
        const isOpen = opened !== null && opened !== 'directory'
        t.equal(isOpen, row[column + 1], `${symlinks} ${row[0]}`)
        if (isOpen) await opened.handle.close()
      }
      t.equal(await folder.open(['sub']), 'directory')
      t.equal(await folder.open([]), 'directory', 'the root itself')
      t.equal(await folder.open(['to-parent']), symlinks === 'follow' ? 'directory' : null)
    }
    t.equal(openFilesIn(root), 0)
  })
}

t.test('the root of the file system can be served', async (t) => {
  const root = tree(t)
  const opened = await new FileRoot('/', 'inside').open([...root.slice(1).split('/'), 'a'])
  t.ok(opened !== null && opened !== 'directory')
  if (opened !== null && opened !== 'directory') await opened.handle.close()
})

t.test('a path is cut before it is decoded', async (t) => {
  const segments = (rest: string): readonly string[] | undefined =>
    parseStaticPath(rest, 'deny')?.segments
  t.same(segments(''), [])
  t.same(segments('a/b'), ['a', 'b'])
  t.same(segments('a/b/'), ['a', 'b'])
  t.same(segments('%61/%C3%A9%20x'), ['a', 'é x'])
  t.same(segments('a%2525'), ['a%25'], 'decoded once')
  t.same(segments('a..b/...c'), undefined)
  t.same(segments('a..b/c-'), ['a..b', 'c-'])
  for (const rest of ['/', '//', 'a//b', '/a', 'a//', 'a%2Fb', 'a%', 'a%zz']) {
    t.equal(segments(rest), undefined, rest)
  }
})

t.test('short names of Windows are refused there, and are names elsewhere', async (t) => {
  for (const name of ['GIT~1', 'SECRET~1.TXT', 'ab~12']) {
    t.equal(parseStaticPath(name, 'deny', 'win32'), null, name)
    t.ok(parseStaticPath(name, 'deny', 'linux'), name)
  }
  t.ok(parseStaticPath('runtime~1.js', 'deny', 'win32'))
})
