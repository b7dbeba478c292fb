import { readFileSync } from 'node:fs'
import t from 'tap'
import { METRICS } from '../src/admin/metric-table.ts'

const page = readFileSync(new URL('../../../docs/guide/observability.md', import.meta.url), 'utf8')

t.test('the guide has the table of metrics, to the word', async (t) => {
  const listed = page.split('\n').filter((line) => line.startsWith('| `rr_'))
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
    const names = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${names} | ${help} |`
  })
  t.strictSame(listed, rows)
})
