import type { OptionTable } from '@rr/core'
import t from 'tap'
import { parseArguments } from '../src/arguments.ts'
import { CLI_ACTIONS, COMMAND_OPTIONS } from '../src/cli-options.ts'
import { acceptedTexts, refusedTexts } from './support/table-values.ts'

const TABLE = {
  port: {
    type: 'integer',
    default: 1,
    minimum: 0,
    maximum: 65_535,
    flag: 'port',
    short: 'p',
    doc: '',
  },
  host: { type: 'string', default: '::', flag: 'host', valueName: 'address', doc: '' },
  accessLog: { type: 'boolean', default: false, flag: 'access-log', doc: '' },
  drainMs: {
    type: 'integer',
    default: 1,
    minimum: 0,
    maximum: 100_000,
    flag: 'drain-timeout',
    valueName: 'ms',
    doc: '',
  },
} as const satisfies OptionTable

function parse(...argv: string[]): ReturnType<typeof parseArguments> {
  return parseArguments(argv, TABLE, CLI_ACTIONS)
}

t.test('forms of a flag with its value', async (t) => {
  for (const argv of [['--port', '8'], ['--port=8'], ['-p', '8'], ['-p8'], ['-p=8']]) {
    t.strictSame(parse(...argv, 'app.ts'), {
      action: null,
      options: { port: 8 },
      positionals: ['app.ts'],
    })
  }
  t.strictSame(parse('--host=a=b').options, { host: 'a=b' }, 'a value may hold an equals sign')
})

t.test('forms of a boolean', async (t) => {
  t.strictSame(parse('--access-log').options, { accessLog: true })
  t.strictSame(parse('--no-access-log').options, { accessLog: false })
  for (const yes of ['true', '1', 'yes', 'on']) {
    t.strictSame(parse(`--access-log=${yes}`).options, { accessLog: true })
  }
  for (const no of ['false', '0', 'no', 'off']) {
    t.strictSame(parse(`--access-log=${no}`).options, { accessLog: false })
  }
  t.strictSame(parse('--access-log', 'false').positionals, ['false'], 'takes no separate value')
  t.throws(() => parse('--no-access-log=true'), { message: '--no-access-log takes no value' })
  t.throws(() => parse('--no-port'), { code: 'RR_OPTION_UNKNOWN' })
})

t.test('of a repeated flag the last counts', async (t) => {
  t.strictSame(parse('--port', '1', '-p', '2', '--port=3').options, { port: 3 })
  t.strictSame(parse('--access-log', '--no-access-log').options, { accessLog: false })
})

t.test('-- ends the flags', async (t) => {
  t.strictSame(parse('--port', '1', '--', '--port', '-p').positionals, ['--port', '-p'])
  t.strictSame(parse('-', 'app.ts').positionals, ['-', 'app.ts'], 'a lone dash is no flag')
})

t.test('an action ends the reading', async (t) => {
  t.equal(parse('--help', '--bogus').action, 'help')
  t.equal(parse('-v').action, 'version')
  t.equal(parse('app.ts', '-h').action, 'help')
  t.throws(() => parse('--help=yes'), { message: '--help takes no value' })
})

t.test('an unknown flag names the nearest', async (t) => {
  const cases = {
    '--prot': '--port',
    '--access-logs': '--access-log',
    '--drain_timeout': '--drain-timeout',
    '--hlep=1': '--help',
  }
  for (const [flag, near] of Object.entries(cases)) {
    const name = flag.split('=')[0]
    t.throws(() => parse(flag), {
      code: 'RR_OPTION_UNKNOWN',
      message: `unknown option ${name}; did you mean ${near}?`,
    })
  }
  t.throws(() => parse('--zzzzzzzz'), { message: 'unknown option --zzzzzzzz' })
  t.throws(() => parse('-x'), { message: 'unknown option -x' })
  t.throws(() => parse('-hv'), { message: 'unknown option -hv' }, 'actions do not cluster')
})

t.test('a value that is missing', async (t) => {
  for (const argv of [['--host'], ['--host', '--port', '1'], ['--host', '-p', '1']]) {
    t.throws(() => parse(...argv), {
      code: 'RR_OPTION_INVALID',
      message: '--host needs a value, as in --host <address>',
    })
  }
  t.throws(() => parse('--host='), { message: /--host takes a string that is not empty/ })
})

t.test('a negative number is a value, and out of bounds', async (t) => {
  t.throws(() => parse('--port', '-1'), {
    code: 'RR_OPTION_INVALID',
    message: "--port takes a whole number from 0 to 65535, not '-1'",
  })
})

t.test('durations and sizes', async (t) => {
  t.strictSame(parse('--drain-timeout', '10s').options, { drainMs: 10_000 })
  t.throws(() => parse('--drain-timeout=2h'), {
    message:
      "--drain-timeout takes a whole number from 0 to 100000 (ms), or one with a unit as in 500ms, 10s, 2m, not '2h'",
  })
})

for (const [name, row] of Object.entries(COMMAND_OPTIONS)) {
  t.test(`--${row.flag} takes what its row takes, and no more`, async (t) => {
    const read = (text: string): unknown =>
      parseArguments([`--${row.flag}=${text}`], COMMAND_OPTIONS, CLI_ACTIONS).options[name]
    for (const [text, value] of acceptedTexts(row)) t.same(read(text), value, text)
    for (const text of refusedTexts(row)) {
      t.throws(
        () => read(text),
        { code: 'RR_OPTION_INVALID', message: `--${row.flag} takes` },
        text,
      )
    }
  })
}
