import { readFileSync } from 'node:fs'
import t from 'tap'
import { CLI_ACTIONS, COMMAND_OPTIONS } from '../src/cli-options.ts'
import { environmentNames } from '../src/environment.ts'
import { EXIT_CODES } from '../src/exit-codes.ts'
import { helpText } from '../src/help.ts'

const HELP = helpText({ options: COMMAND_OPTIONS, actions: CLI_ACTIONS, exitCodes: EXIT_CODES })
const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

t.test('help has every option with its default, bounds and variables', async (t) => {
  for (const [name, row] of Object.entries(COMMAND_OPTIONS)) {
    const label = `^ {2}(?:-${row.short}, | {4})--${row.flag}\\b`
    const part =
      new RegExp(`${label}[\\s\\S]*?\\]$`, 'm').exec(HELP)?.[0].replace(/\s+/g, ' ') ?? ''
    t.match(part, `--${row.flag}`)
    if (row.short !== undefined) t.match(part, `-${row.short}, --${row.flag}`)
    t.match(part, `default ${row.default}`)
    for (const variable of environmentNames(name, row)) t.match(part, variable)
    if (row.type === 'integer' || row.type === 'integer-or-auto') t.match(part, String(row.minimum))
    if (row.type === 'enum') for (const value of row.values) t.match(part, value)
  }
})

t.test('help has every action and every exit code', async (t) => {
  for (const { flag, short } of Object.values(CLI_ACTIONS)) t.match(HELP, `-${short}, --${flag}`)
  for (const { code } of Object.values(EXIT_CODES))
    t.match(HELP, new RegExp(`^  ${code}  \\w`, 'm'))
})

t.test('help calls options by their flags, and fits a terminal', async (t) => {
  t.notMatch(HELP, 'maxConnections')
  t.notMatch(HELP, '`')
  for (const line of HELP.split('\n')) t.ok(line.length <= 88, line)
})

t.test('the README has every flag, variable and exit code', async (t) => {
  for (const [name, row] of Object.entries(COMMAND_OPTIONS)) {
    t.match(README, `--${row.flag}`)
    for (const variable of environmentNames(name, row)) t.match(README, variable)
  }
  for (const { code } of Object.values(EXIT_CODES))
    t.match(README, new RegExp(`^\\| ${code} \\|`, 'm'))
})

t.test('every option with a flag has a sentence of its own, and flags are unique', async (t) => {
  const rows = [...Object.values(COMMAND_OPTIONS), ...Object.values(CLI_ACTIONS)]
  const flags = rows.map(({ flag }) => flag)
  const shorts = rows.map(({ short }) => short).filter((short) => short !== undefined)
  t.equal(new Set(flags).size, flags.length)
  t.equal(new Set(shorts).size, shorts.length)
  for (const { doc } of rows) t.match(doc, /^[A-Z].*\.$/)
})
