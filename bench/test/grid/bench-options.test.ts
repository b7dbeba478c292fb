import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  BENCH_OPTIONS,
  gridOptions,
  helpText,
  parseBenchOptions,
  selectNamed,
} from '../../src/grid/bench-options.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

t.test('nothing given: everything, three rounds, with rates', async (t) => {
  const options = parseBenchOptions([])
  t.match(options, { scenarios: 'all', servers: 'all', rounds: 3, quick: false })
  t.same(gridOptions(options).fractions, [0.5, 0.75, 0.9, 0.95])
  t.equal(gridOptions(options).connections, null, 'what each scenario says')
})

t.test('quick is a set of defaults that other options overrule', async (t) => {
  t.match(parseBenchOptions(['--quick']), { rounds: 1, seconds: 1, servers: /rr/ })
  t.match(parseBenchOptions(['--rounds=4', '--quick']), { rounds: 4, seconds: 1 })
})

t.test('values and flags', async (t) => {
  const argv = '--scenarios hello,echo --workers 2 --connections=8 --driver wrk --no-rates'
  const options = parseBenchOptions(argv.split(' '))
  t.match(gridOptions(options), { workers: 2, connections: 8, driver: 'wrk', fractions: [] })
  t.equal(options.scenarios, 'hello,echo')
})

t.test('an unknown option names the nearest', async (t) => {
  t.throws(() => parseBenchOptions(['--round', '3']), {
    code: 'RR_OPTION_UNKNOWN',
    message: /'--round'.*'--rounds'/,
  })
  t.throws(() => parseBenchOptions(['hello']), { code: 'RR_OPTION_UNKNOWN' })
})

t.test('values outside the bounds, of the wrong kind, or missing', async (t) => {
  for (const argv of [
    ['--rounds', '0'],
    ['--rounds', '101'],
    ['--rounds', 'many'],
    ['--seconds', '1.5'],
    ['--driver', 'ab'],
    ['--rounds'],
    ['--quick=yes'],
    ['--out='],
  ]) {
    t.throws(() => parseBenchOptions(argv), { code: 'RR_OPTION_INVALID' }, argv.join(' '))
  }
  t.equal(parseBenchOptions(['--rounds', '1']).rounds, 1)
  t.equal(parseBenchOptions(['--rounds', '100']).rounds, 100)
})

t.test('parts by name, in their own order; an unknown one names the nearest', async (t) => {
  const all = [{ name: 'hello' }, { name: 'json' }, { name: 'echo' }]
  t.same(selectNamed('echo, hello', all, 'scenario'), [{ name: 'hello' }, { name: 'echo' }])
  t.same(selectNamed('all', all, 'scenario'), all)
  t.throws(() => selectNamed('helo', all, 'scenario'), /unknown scenario 'helo'.*'hello'/)
  t.throws(() => selectNamed('xyz', all, 'scenario'), /there are hello, json, echo/)
})

t.test('help names every option', async (t) => {
  for (const name of Object.keys(BENCH_OPTIONS)) t.match(helpText(), `--${name}`)
})

t.test('the command ends with 2 and one line for what it does not understand', async (t) => {
  const { status, stderr } = spawnSync(process.execPath, [CLI, '--servers', 'node-htp'], {
    encoding: 'utf8',
  })
  t.equal(status, 2)
  t.equal(stderr, "bench: unknown server 'node-htp'; did you mean 'node-http'?\n")
})
