import { HTTP_OPTIONS, type OptionTable } from '@rr/core'
import { SERVER_OPTIONS } from '@rr/listener'

/** Options that only the command has. */
export const CLI_OPTIONS = {
  logLevel: {
    type: 'enum',
    default: 'info',
    values: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    flag: 'log-level',
    valueName: 'level',
    doc: 'Least level that is logged.',
  },
  accessLog: {
    type: 'boolean',
    default: false,
    flag: 'access-log',
    doc: 'Log a line for each request answered, whatever the log level.',
  },
} as const

/** Flags that print something instead of serving. They take no value and no variable. */
export const CLI_ACTIONS = {
  help: { flag: 'help', short: 'h', doc: 'Print this help.' },
  version: { flag: 'version', short: 'v', doc: 'Print the versions of rr-serve and Node.js.' },
} as const

export type CliAction = keyof typeof CLI_ACTIONS

const HELP_TITLES = ['Server', 'Workers', 'Limits', 'Time limits', 'Admin', 'Log'] as const
type HelpTitle = (typeof HELP_TITLES)[number]

/** Options of `serve()` that help shows elsewhere than under Server. */
const SERVER_TITLES: Readonly<Partial<Record<keyof typeof SERVER_OPTIONS, HelpTitle>>> = {
  workers: 'Workers',
  stallTimeoutMs: 'Workers',
  replaceStalled: 'Workers',
  workerHeapMb: 'Workers',
  maxConnections: 'Limits',
  overload: 'Limits',
  drainTimeoutMs: 'Time limits',
  drainIdleGraceMs: 'Time limits',
  drainDelayMs: 'Time limits',
  adminPort: 'Admin',
  adminHost: 'Admin',
  metrics: 'Admin',
  maxMetricSeries: 'Admin',
}

/** Options that help shows together. */
export interface OptionGroup {
  readonly title: string
  readonly options: OptionTable
}

/** Every option that has a flag, in the order of help. A group without any is left out. */
export const OPTION_GROUPS: readonly OptionGroup[] = HELP_TITLES.map((title) => ({
  title,
  options: withFlag({
    ...rowsOf(SERVER_OPTIONS, (name) => (SERVER_TITLES[name] ?? 'Server') === title),
    ...rowsOf(HTTP_OPTIONS, (name) => httpTitle(name) === title),
    ...(title === 'Log' ? CLI_OPTIONS : {}),
  }),
})).filter(({ options }) => Object.keys(options).length > 0)

/** Every option that has a flag. */
export const COMMAND_OPTIONS: OptionTable = Object.assign(
  {},
  ...OPTION_GROUPS.map(({ options }) => options),
)

/** A row that is new is in the right place when its name has its unit, as all have. */
function httpTitle(name: string): HelpTitle {
  return /Ms$|PerSecond$/.test(name) ? 'Time limits' : 'Limits'
}

function rowsOf<Table extends OptionTable>(
  table: Table,
  isWanted: (name: keyof Table & string) => boolean,
): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([name]) => isWanted(name)))
}

function withFlag(table: OptionTable): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([, row]) => row.flag !== undefined))
}
