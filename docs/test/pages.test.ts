import { globSync, readFileSync } from 'node:fs'
import { ERROR_STATUS } from '@rr/core'
import t from 'tap'
import { renderConfigurationPage } from '../configuration-page.ts'

/** Options, applications, routes, addresses, workers: all before or beside requests. */
const ENDS_NO_REQUEST = /^RR_(OPTION|APPLICATION|ROUTE|BIND|WORKER|SERVER|RELOAD)_/

const page = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')

t.test('configuration.md is what the option tables say', async (t) => {
  t.equal(page('configuration.md'), renderConfigurationPage())
})

t.test('errors.md lists every code with its status, and no other', async (t) => {
  const rows = [...page('errors.md').matchAll(/^\| `(RR_\w+)` \| (\d*) ?\| (.+) \|$/gm)]
  t.same(
    rows.map(([, code]) => code),
    Object.keys(ERROR_STATUS),
  )
  for (const [, code = '', status = '', meaning = ''] of rows) {
    t.not(meaning.trim(), '', `${code} has a meaning`)
    const expected = ERROR_STATUS[code as keyof typeof ERROR_STATUS]
    // Those that end no request answer as any failure does, should a handler throw them.
    t.equal(status === '' ? 500 : Number(status), expected, code)
    t.equal(status === '', ENDS_NO_REQUEST.test(code), `${code} has a status or needs none`)
  }
})

t.test('errors.md lists every warning', async (t) => {
  const source = readFileSync(
    new URL('../../packages/listener/src/server-events.ts', import.meta.url),
    'utf8',
  )
  const codes = /export type WarningCode =([\s\S]*?)\n\n/.exec(source)?.[1] ?? ''
  const listed = page('errors.md').split('## Warnings')[1] ?? ''
  t.same(
    [...listed.matchAll(/^\| `(RR_\w+)`/gm)].map(([, code]) => code),
    [...codes.matchAll(/'(RR_\w+)'/g)].map(([, code]) => code),
  )
})

t.test('every code is used by the source', async (t) => {
  const root = new URL('../../', import.meta.url)
  const files = globSync('packages/*/src/**/*.ts', { cwd: root })
  t.ok(files.length > 50)
  const source = files
    .filter((file) => !file.endsWith('core/src/errors.ts'))
    .map((file) => readFileSync(new URL(file, root), 'utf8'))
    .join('\n')
  const unused = Object.keys(ERROR_STATUS).filter((code) => !source.includes(`'${code}'`))
  t.same(unused, [])
})

t.test('no page has a gap left to fill', async (t) => {
  const root = new URL('../../', import.meta.url)
  const pages = globSync(['*.md', 'docs/**/*.md', 'packages/*/**/*.md', 'bench/*.md'], {
    cwd: root,
    exclude: (path) => /node_modules|dist/.test(path),
  })
  t.ok(pages.length > 10)
  for (const file of pages) {
    t.notMatch(readFileSync(new URL(file, root), 'utf8'), /@@|\bTBD\b|\bTODO\b/, file)
  }
})
