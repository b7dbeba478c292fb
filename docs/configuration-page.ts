import {
  describeValues,
  FORM_OPTIONS,
  HTTP_OPTIONS,
  MULTIPART_OPTIONS,
  type OptionRow,
  type OptionTable,
} from '@rr/core'
import { SERVER_OPTIONS } from '@rr/listener'
import { CLI_OPTIONS } from '../packages/rr-serve/src/cli-options.ts'
import { environmentNames } from '../packages/rr-serve/src/environment.ts'

const HEAD = `# Configuration

Written from the option tables by \`npx pnpm docs:configuration\`; a test holds it to them.

Options are given to \`serve()\` and \`listen()\` by name. Those with a flag are flags of \`rr-serve\` too,
and environment variables. A flag comes before a variable, a variable before the default. Names end
in their unit: \`...Ms\` are milliseconds, \`...Bytes\` bytes. An unknown option, or a value outside its
bounds, is an error that says so.
`

/** The configuration page, from the tables that the code itself reads. */
export function renderConfigurationPage(): string {
  return [
    HEAD,
    section(
      'Server',
      'Options of `serve()`; those of workers do not apply to `listen()`.',
      SERVER_OPTIONS,
    ),
    section(
      'HTTP',
      'Limits and time limits of connections, for `serve()` and `listen()`.',
      HTTP_OPTIONS,
    ),
    section('Forms', 'Options of a call of `request.form()`.', FORM_OPTIONS),
    section(
      'Multipart bodies',
      'Options of a call of `request.multipart()` or `request.multipartForm()`; over one is answered 413.',
      MULTIPART_OPTIONS,
    ),
    section('Command only', 'Options of `rr-serve`.', CLI_OPTIONS),
  ].join('\n')
}

function section(title: string, text: string, table: OptionTable): string {
  const rows = Object.entries(table).map(([name, row]) => optionRow(name, row))
  return [
    `## ${title}`,
    '',
    text,
    '',
    '| option | default | takes | flag, variables | |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

function optionRow(name: string, row: OptionRow): string {
  const names = row.flag === undefined ? [] : [`--${row.flag}`, ...environmentNames(name, row)]
  const flags = names.map((flag) => `\`${flag}\``).join(', ')
  const value = row.default === '' ? 'none' : `\`${row.default}\``
  return `| \`${name}\` | ${value} | ${describeValues(row)} | ${flags} | ${row.doc} |`
}
