import { globSync, readFileSync } from 'node:fs'
import { ERROR_STATUS } from '@rr/core'
import t from 'tap'
import { renderConfigurationPage } from '../configuration-page.ts'

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
    if (status !== '') t.equal(Number(status), ERROR_STATUS[code as keyof typeof ERROR_STATUS])
  }
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
