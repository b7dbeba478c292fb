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

/** Every option that has a flag, in the order of help. */
export const COMMAND_OPTIONS: OptionTable = withFlag({
  ...SERVER_OPTIONS,
  ...HTTP_OPTIONS,
  ...CLI_OPTIONS,
})

function withFlag(table: OptionTable): OptionTable {
  return Object.fromEntries(Object.entries(table).filter(([, row]) => row.flag !== undefined))
}
