import t from 'tap'
import { COMMAND_OPTIONS } from '../src/cli-options.ts'
import { environmentNames, readEnvironment } from '../src/environment.ts'
import { acceptedTexts, refusedTexts } from './support/table-values.ts'

for (const [option, row] of Object.entries(COMMAND_OPTIONS)) {
  const [name = ''] = environmentNames(option, row)
  t.test(`${name} sets ${option} within its bounds`, async (t) => {
    t.equal(name, `RR_${row.flag?.toUpperCase().replaceAll('-', '_')}`)
    for (const [text, value] of acceptedTexts(row)) {
      t.strictSame(readEnvironment({ [name]: text }, COMMAND_OPTIONS), { [option]: value }, text)
    }
    // The empty text is no value for a flag, and here the same as no variable.
    for (const text of refusedTexts(row).filter((refused) => refused !== '')) {
      t.throws(
        () => readEnvironment({ [name]: text }, COMMAND_OPTIONS),
        { code: 'RR_OPTION_INVALID', message: `${name} takes` },
        text,
      )
    }
  })
}

t.test('PORT is heard after RR_PORT', async (t) => {
  t.strictSame(readEnvironment({ PORT: '1' }, COMMAND_OPTIONS), { port: 1 })
  t.strictSame(readEnvironment({ PORT: '1', RR_PORT: '2' }, COMMAND_OPTIONS), { port: 2 })
  t.strictSame(readEnvironment({ PORT: '1', RR_PORT: '' }, COMMAND_OPTIONS), { port: 1 })
  t.throws(() => readEnvironment({ PORT: '\\\\.\\pipe\\x' }, COMMAND_OPTIONS), {
    message: /^PORT /,
  })
})

t.test('what is not set, or empty, or of others is passed over', async (t) => {
  const environment = { RR_HOST: '', RR_OTHER: 'x', HOST: 'h', WORKERS: '3', RR_WORKERS: undefined }
  t.strictSame(readEnvironment(environment, COMMAND_OPTIONS), {})
})
