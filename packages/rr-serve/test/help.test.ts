import { readFileSync } from 'node:fs'
import { describeDefault, HTTP_OPTIONS } from '@rr/core'
import { SERVER_OPTIONS } from '@rr/listener'
import t from 'tap'
import { CLI_ACTIONS, CLI_OPTIONS, COMMAND_OPTIONS, OPTION_GROUPS } from '../src/cli-options.ts'
import { APPLICATION_VARIABLE, environmentNames } from '../src/environment.ts'
import { EXIT_CODES } from '../src/exit-codes.ts'
import { helpText } from '../src/help.ts'

const HELP = helpText({ groups: OPTION_GROUPS, actions: CLI_ACTIONS, exitCodes: EXIT_CODES })
const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

t.test('help has every option with its default, bounds and variables', async (t) => {
  for (const [name, row] of Object.entries(COMMAND_OPTIONS)) {
    const label = `^ {2}(?:-${row.short}, | {4})--${row.flag}\\b`
    const part =
      new RegExp(`${label}[\\s\\S]*?\\]$`, 'm').exec(HELP)?.[0].replace(/\s+/g, ' ') ?? ''
    t.match(part, `--${row.flag}`)
    if (row.short !== undefined) t.match(part, `-${row.short}, --${row.flag}`)
    t.match(part, `default ${describeDefault(row)}`)
    for (const variable of environmentNames(name, row)) t.match(part, variable)
    if (row.type === 'integer' || row.type === 'integer-or-auto') t.match(part, String(row.minimum))
    if (row.type === 'enum') for (const value of row.values) t.match(part, value)
  }
})

t.test('help has every action and every exit code', async (t) => {
  for (const row of Object.values(CLI_ACTIONS)) {
    t.match(HELP, `--${row.flag}`)
    if ('short' in row) t.match(HELP, `-${row.short}, --${row.flag}`)
  }
  for (const { code } of Object.values(EXIT_CODES))
    t.match(HELP, new RegExp(`^  ${code}  \\w`, 'm'))
})

t.test('help calls options by their flags, and fits a terminal', async (t) => {
  for (const name of Object.keys(COMMAND_OPTIONS)) {
    if (/[A-Z]/.test(name)) t.notMatch(HELP, new RegExp(`\\b${name}\\b`))
  }
  t.notMatch(HELP, '`')
  for (const line of HELP.split('\n')) t.ok(line.length <= 88, line)
})

t.test('every row with a flag is in one group of help, under its title', async (t) => {
  const tables = { ...SERVER_OPTIONS, ...HTTP_OPTIONS, ...CLI_OPTIONS }
  const flagged = Object.entries(tables).flatMap(([name, row]) => ('flag' in row ? [name] : []))
  const grouped = OPTION_GROUPS.flatMap(({ options }) => Object.keys(options))
  t.strictSame([...grouped].sort(), [...flagged].sort())
  let from = 0
  for (const { title, options } of OPTION_GROUPS) {
    const start = HELP.indexOf(`\n\n${title}:\n`)
    const end = HELP.indexOf('\n\n', start + 2)
    t.ok(start > from, `${title} comes in its turn`)
    for (const { flag } of Object.values(options)) t.match(HELP.slice(start, end), `--${flag}`)
    from = start
  }
})

t.test('the README speaks of flags, variables and exit codes that there are', async (t) => {
  const flags = [...Object.values(COMMAND_OPTIONS), ...Object.values(CLI_ACTIONS)].map(
    ({ flag }) => `--${flag}`,
  )
  // `--flag` and `--no-flag` stand there for any.
  const named = new Set(README.match(/(?<![\w-])--[a-z][a-z-]*/g))
  t.strictSame(
    [...named].filter((flag) => ![...flags, '--flag', '--no-flag'].includes(flag)),
    [],
  )
  const variables = Object.entries(COMMAND_OPTIONS).flatMap(([name, row]) =>
    environmentNames(name, row),
  )
  const known = [...variables, APPLICATION_VARIABLE]
  t.strictSame(
    [...new Set(README.match(/RR_[A-Z_]+/g))].filter((name) => !known.includes(name)),
    [],
  )
  for (const { code } of Object.values(EXIT_CODES))
    t.match(README, new RegExp(`^\\| ${code} \\|`, 'm'))
})

t.test('every option with a flag has a sentence of its own, and flags are unique', async (t) => {
  const rows = [...Object.values(COMMAND_OPTIONS), ...Object.values(CLI_ACTIONS)]
  const flags = rows.map(({ flag }) => flag)
  const shorts = rows.flatMap((row) => ('short' in row ? [row.short] : []))
  t.equal(new Set(flags).size, flags.length)
  t.equal(new Set(shorts).size, shorts.length)
  for (const { doc } of rows) t.match(doc, /^[A-Z].*\.$/)
})
