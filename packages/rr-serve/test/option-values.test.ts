import type { OptionRow } from '@rr/core'
import t from 'tap'
import { readOptionValue } from '../src/option-values.ts'

const NUMBER = {
  type: 'integer',
  default: 0,
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  doc: '',
} as const satisfies OptionRow

t.test('durations are in ms', async (t) => {
  const row = { ...NUMBER, valueName: 'ms' }
  const cases = { 0: 0, 10000: 10_000, '500ms': 500, '10s': 10_000, '2m': 120_000, '1h': 3_600_000 }
  for (const [text, value] of Object.entries(cases)) {
    t.equal(readOptionValue(row, text, '--x'), value, text)
  }
  t.equal(readOptionValue(row, '10 S', '--x'), 10_000, 'in any case, after a space')
  for (const text of ['10x', '1.5s', 's', '1s2', '1d', '1mb', '', '0x10', '1e3', 'Infinity']) {
    t.throws(() => readOptionValue(row, text, '--x'), { code: 'RR_OPTION_INVALID' }, `'${text}'`)
  }
})

t.test('sizes are in bytes; kB is 1000 and KiB 1024 of them', async (t) => {
  const row = { ...NUMBER, valueName: 'bytes' }
  const cases = {
    0: 0,
    '7b': 7,
    '1kb': 1000,
    '1KiB': 1024,
    '1MB': 1_000_000,
    '1mib': 1_048_576,
    '2GB': 2e9,
    '2GiB': 2 * 1024 ** 3,
  }
  for (const [text, value] of Object.entries(cases)) {
    t.equal(readOptionValue(row, text, '--x'), value, text)
  }
  for (const text of ['1m', '1k', '10s', '1.5MB', '99999999GiB']) {
    t.throws(() => readOptionValue(row, text, '--x'), { code: 'RR_OPTION_INVALID' }, `'${text}'`)
  }
})

t.test('a plain number has no unit', async (t) => {
  t.equal(readOptionValue(NUMBER, '1_000', '--x'), 1000, 'digits may be grouped')
  t.throws(() => readOptionValue(NUMBER, '10s', '--x'), {
    message: `--x takes a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, not '10s'`,
  })
})

t.test('one of several words, in any case', async (t) => {
  const row: OptionRow = { type: 'enum', default: 'info', values: ['info', 'warn'], doc: '' }
  t.equal(readOptionValue(row, 'WARN', '--x'), 'warn')
  t.throws(() => readOptionValue(row, 'loud', 'RR_X'), {
    message: "RR_X takes one of info, warn, not 'loud'",
  })
})

t.test('a list has commas between its items', async (t) => {
  const row: OptionRow = { type: 'string-list', default: [], items: 'network', doc: '' }
  t.same(readOptionValue(row, 'loopback', '--x'), ['loopback'])
  t.same(readOptionValue(row, '10.0.0.0/8, 2001:db8::/32 ,loopback', '--x'), [
    '10.0.0.0/8',
    '2001:db8::/32',
    'loopback',
  ])
  for (const text of ['', ',', 'loopback,', 'loopback loopback', '10.0.0.0/8;loopback']) {
    t.throws(
      () => readOptionValue(row, text, 'RR_X'),
      {
        code: 'RR_OPTION_INVALID',
        message: /^RR_X takes a list .*, with commas between them, not '/,
      },
      text,
    )
  }
})
