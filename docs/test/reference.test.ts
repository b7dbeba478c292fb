import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { PACKAGES } from '../reference-tool/packages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const reference = join(root, 'docs/reference')
const tool = join(root, 'docs/reference-tool')
const REMEDY = 'run npx pnpm docs:reference'
const skip = existsSync(join(tool, 'node_modules/typedoc'))
  ? false
  : `TypeDoc is not installed: ${REMEDY}`

const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')

/** The names in the export lists of a package's index, types included. */
function exportedNames(name: string): string[] {
  const source = read('packages', name, 'src/index.ts').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  const lists = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
  const others = source.match(/^export /gm)?.length ?? 0
  if (lists.length !== others) throw new Error(`${name}: an export that is not a list of names`)
  return lists
    .flatMap(([, list = '']) => list.split(','))
    .map((entry) => entry.trim().split(/\s+/).at(-1) ?? '')
    .filter((entry) => entry !== '')
}

t.test('every package for applications has a page', async (t) => {
  const names = readdirSync(join(root, 'packages'))
    .map((name) => JSON.parse(read('packages', name, 'package.json')) as { name: string })
    .filter((manifest) => manifest.name.startsWith('@rr/'))
  t.same(names.map((manifest) => manifest.name.slice('@rr/'.length)).sort(), [...PACKAGES].sort())
  const pages = PACKAGES.map((name) => `${name}.md`)
  t.same(readdirSync(reference).sort(), ['README.md', ...pages].sort())
})

for (const name of PACKAGES) {
  t.test(`every name that @rr/${name} exports is in its reference, and no other`, async (t) => {
    const page = read('docs/reference', `${name}.md`)
    const entries = [...page.matchAll(/^### (\S+?)(?:\(\))?(?:\\<.*)?$/gm)]
    const documented = new Set(entries.map(([, entry = '']) => entry.replaceAll('\\', '')))
    const exported = new Set(exportedNames(name))
    t.ok(exported.size > 0)
    const missing = [...exported].filter((entry) => !documented.has(entry))
    t.same(missing, [], `missing in ${name}.md: ${REMEDY}`)
    const gone = [...documented].filter((entry) => !exported.has(entry))
    t.same(gone, [], `in ${name}.md, but not exported: ${REMEDY}`)
  })
}

t.test('the reference names no folder of the machine that it was written on', async (t) => {
  for (const name of readdirSync(reference)) {
    const page = read('docs/reference', name)
    t.notOk(page.includes(root), name)
    t.notMatch(page, /file:\/\/|node_modules/, name)
  }
})

t.test('the reference is what the doc comments say', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rr-reference-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  await promisify(execFile)(process.execPath, [join(tool, 'write-reference.ts'), folder])
  t.same(readdirSync(folder).sort(), readdirSync(reference).sort())
  for (const name of readdirSync(folder)) {
    const isCurrent = readFileSync(join(folder, name), 'utf8') === read('docs/reference', name)
    t.ok(isCurrent, `${name} is not current: ${REMEDY}`)
  }
})

t.test('the types of the reference tool hold', { skip }, async () => {
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', tool])
})
