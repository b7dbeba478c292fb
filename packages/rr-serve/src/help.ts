import type { OptionRow, OptionTable } from '@rr/core'
import { APPLICATION_EXTENSIONS } from './application-path.ts'
import type { ActionRow } from './arguments.ts'
import type { OptionGroup } from './cli-options.ts'
import { APPLICATION_VARIABLE, environmentNames } from './environment.ts'
import { unitExamples } from './option-values.ts'

const COLUMNS = 88
const FLAG_COLUMNS = 29

/** What help is made from. */
export interface HelpSource {
  readonly groups: readonly OptionGroup[]
  readonly actions: Readonly<Record<string, ActionRow & { readonly doc: string }>>
  readonly exitCodes: Readonly<Record<string, { readonly code: number; readonly doc: string }>>
}

/** The text of `--help`. */
export function helpText(source: HelpSource): string {
  const all: OptionTable = Object.assign({}, ...source.groups.map(({ options }) => options))
  return [
    'Usage: rr-serve [options] <application>',
    '',
    'Serves an application over HTTP on every core.',
    '',
    'Application:',
    ...wrapped(
      `A file (${APPLICATION_EXTENSIONS.join(' ')}) or a file URL. Its default export is a router, a ` +
        'handler function, an object with a fetch method, or defineApp({...}). Without one, ' +
        `${APPLICATION_VARIABLE} names it.`,
      2,
    ),
    '',
    ...source.groups.flatMap(({ title, options }) => [
      `${title}:`,
      ...Object.entries(options).flatMap(([name, row]) => optionLines(name, row, all)),
      '',
    ]),
    'Other:',
    ...Object.values(source.actions).flatMap((row) => [flagLine(row.flag, row.short, row.doc)]),
    '',
    ...wrapped(
      'A flag comes before its environment variable, and that before the default. Of a ' +
        'repeated flag the last counts. -- ends the options.',
      0,
    ),
    '',
    'Exit codes:',
    ...Object.values(source.exitCodes).flatMap(({ code, doc }) => hanging(`  ${code}  `, doc)),
    '',
    'Examples:',
    '  rr-serve app.ts',
    '  rr-serve --port 3000 --workers 2 app.ts',
    '  rr-serve --access-log --drain-timeout 30s --max-body 10MiB app.ts',
    '  RR_PORT=3000 RR_LOG_LEVEL=warn rr-serve app.ts',
    '',
  ].join('\n')
}

function optionLines(name: string, row: OptionRow, table: OptionTable): string[] {
  const value = row.type === 'boolean' ? '' : ` <${row.valueName ?? row.type}>`
  const facts = [
    ...bounds(row),
    `default ${row.default === '' ? 'none' : String(row.default)}`,
    environmentNames(name, row).join(' or '),
  ]
  const indent = ' '.repeat(FLAG_COLUMNS)
  return [
    flagLine(`${row.flag}${value}`, row.short, withFlags(row.doc, table)),
    ...hanging(indent, `[${facts.join('; ')}]`),
  ]
}

/** The tables speak of options by their names for `serve()`; here they are called by their flags. */
function withFlags(doc: string, table: OptionTable): string {
  return doc.replace(/`?\b([a-z]+[A-Za-z]*)\b`?/g, (word, name: string) => {
    const isName = word !== name || /[A-Z]/.test(name)
    const flag = table[name]?.flag
    return isName && flag !== undefined ? `--${flag}` : word
  })
}

function bounds(row: OptionRow): string[] {
  switch (row.type) {
    case 'integer':
    case 'integer-or-auto': {
      const { minimum, maximum } = row
      const range =
        maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`
      const examples = unitExamples(row)
      return [
        row.type === 'integer' ? range : `auto or ${range}`,
        ...(examples === '' ? [] : [`or as in ${examples}`]),
      ]
    }
    case 'enum':
      return [row.values.join(' ')]
    case 'boolean':
    case 'string':
      return []
  }
}

function flagLine(flag: string, short: string | undefined, doc: string): string {
  const label = `  ${short === undefined ? '    ' : `-${short}, `}--${flag}`
  // A label that is too long for its column stands on a line of its own.
  const head =
    label.length < FLAG_COLUMNS
      ? label.padEnd(FLAG_COLUMNS)
      : `${label}\n${' '.repeat(FLAG_COLUMNS)}`
  const [first = '', ...rest] = wrapped(doc, FLAG_COLUMNS)
  return [head + first.trimStart(), ...rest].join('\n')
}

/** A label, and a text that is wrapped in the column after it. */
function hanging(label: string, text: string): string[] {
  const [first = '', ...rest] = wrapped(text, label.length)
  return [label + first.trimStart(), ...rest]
}

function wrapped(text: string, indent: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > COLUMNS) {
      lines.push(' '.repeat(indent) + line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  lines.push(' '.repeat(indent) + line)
  return lines
}
