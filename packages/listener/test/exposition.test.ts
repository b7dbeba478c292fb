import t from 'tap'
import { CONTENT_TYPES, Exposition } from '../src/admin/exposition.ts'
import { METRICS } from '../src/admin/metric-table.ts'
import { parseExposition } from './support/exposition-parser.ts'

const BOUNDS = [0.5, 1]

function sample(format: 'prometheus' | 'openmetrics'): string {
  const page = new Exposition(format)
  page.add('rr_build_info', { version: '1', node: '2' }, 1)
  page.add('rr_requests_total', { worker: 1 }, 7)
  page.add('rr_requests_total', { worker: 2 }, 1e21)
  page.addHistogram('rr_request_duration_seconds', { route: '/' }, BOUNDS, [1, 0, 2], 3.5)
  return page.toString()
}

t.test('the Prometheus text format, to the byte', async (t) => {
  t.equal(
    sample('prometheus'),
    `# HELP rr_build_info ${METRICS.rr_build_info.help}
# TYPE rr_build_info gauge
rr_build_info{version="1",node="2"} 1
# HELP rr_requests_total ${METRICS.rr_requests_total.help}
# TYPE rr_requests_total counter
rr_requests_total{worker="1"} 7
rr_requests_total{worker="2"} 1e+21
# HELP rr_request_duration_seconds ${METRICS.rr_request_duration_seconds.help}
# TYPE rr_request_duration_seconds histogram
rr_request_duration_seconds_bucket{route="/",le="0.5"} 1
rr_request_duration_seconds_bucket{route="/",le="1"} 1
rr_request_duration_seconds_bucket{route="/",le="+Inf"} 3
rr_request_duration_seconds_sum{route="/"} 3.5
rr_request_duration_seconds_count{route="/"} 3
`,
  )
})

t.test(
  'OpenMetrics: families of counters and infos without suffix, bounds as floats, an end',
  async (t) => {
    const text = sample('openmetrics')
    t.match(text, /^# TYPE rr_build info$/m)
    t.match(text, /^rr_build_info\{/m)
    t.match(text, /^# TYPE rr_requests counter$/m)
    t.match(text, /^rr_requests_total\{worker="1"\} 7$/m)
    t.match(text, /le="1\.0"/)
    t.ok(text.endsWith('\n# EOF\n'))
    t.match(CONTENT_TYPES.openmetrics, /^application\/openmetrics-text; version=1\.0\.0/)
    t.equal(parseExposition(text, true).get('rr_requests')!.samples.length, 2)
  },
)

t.test('prevents forged samples: a label may hold any text', async (t) => {
  const hostile = [
    '"} 1\nforged 1',
    '\\',
    '\\n',
    '\\"',
    'a\r\nb',
    '{},=" #',
    '',
    '\u0000\u2028😀',
    '</script><script>alert(1)</script>',
  ]
  for (const format of ['prometheus', 'openmetrics'] as const) {
    const page = new Exposition(format)
    for (const route of hostile)
      page.addHistogram('rr_request_duration_seconds', { route }, [], [1], 1)
    const families = parseExposition(page.toString(), format === 'openmetrics')
    t.strictSame([...families.keys()], ['rr_request_duration_seconds'], format)
    const routes = families
      .get('rr_request_duration_seconds')!
      .samples.map(({ labels }) => labels['route'])
    t.strictSame([...new Set(routes)], hostile, format)
  }
})

t.test('numbers that have words of their own', async (t) => {
  const page = new Exposition('prometheus')
  page.add('rr_uptime_seconds', {}, Number.POSITIVE_INFINITY)
  page.add('rr_ready', {}, Number.NEGATIVE_INFINITY)
  page.add('rr_max_connections', {}, Number.NaN)
  t.strictSame(
    page
      .toString()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')),
    ['rr_ready -Inf', 'rr_uptime_seconds +Inf', 'rr_max_connections NaN'],
  )
})

t.test(
  'every metric has a name by the rules, a help text that ends, and a fitting suffix',
  async (t) => {
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      t.match(name, /^rr_[a-z][a-z0-9_]*$/)
      t.match(help, /^[A-Z0-9][^\n\\"]+\.$/, name)
      t.equal(/_total$/.test(name), type === 'counter', name)
      t.equal(/_info$/.test(name), type === 'info', name)
      t.notMatch(name, /_(?:ms|milliseconds|mib|kb|minutes)(?:_|$)/, name)
    }
  },
)
