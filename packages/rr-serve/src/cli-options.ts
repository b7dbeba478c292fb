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
    doc: 'Log a line for each request answered, and for each refused (ten of those a second for each worker, the rest counted), whatever the log level.',
  },
  watch: {
    type: 'boolean',
    default: false,
    flag: 'watch',
    doc: 'Reload when a file changes that the application has loaded; a start that its code fails waits for a change. For development.',
  },
  watchPath: {
    type: 'string',
    default: '',
    flag: 'watch-path',
    valueName: 'paths',
    doc: 'With watch: further files or folders, with commas between them, such as templates.',
  },
  inspectWorker: {
    type: 'string',
    default: '',
    flag: 'inspect-worker',
    valueName: 'N[:[host:]port]',
    doc: 'Open a debugger on the worker of this number; at 127.0.0.1:9229 unless told otherwise. Stalled workers are then not watched for.',
  },
  cpuProf: {
    type: 'boolean',
    default: false,
    flag: 'cpu-prof',
    doc: "Write a V8 CPU profile of each worker when it ends, of its first 5 minutes at most; for Chrome's developer tools and others.",
  },
  cpuProfDir: {
    type: 'string',
    default: '.',
    flag: 'cpu-prof-dir',
    valueName: 'folder',
    doc: 'Where cpuProf writes; made when it is not there.',
  },
} as const

const DEVELOPMENT_OPTIONS: ReadonlySet<string> = new Set([
  'watch',
  'watchPath',
  'inspectWorker',
  'cpuProf',
  'cpuProfDir',
] satisfies (keyof typeof CLI_OPTIONS)[])

/**
 * Flags that ask for something else than serving. They take no value and no variable. What follows
 * one is not judged, except where it `isMode`: then options and arguments are read as for serving.
 */
export const CLI_ACTIONS = {
  healthcheck: {
    flag: 'healthcheck',
    isMode: true,
    doc: 'Ask a server that runs here, or the URL given as argument, whether it is ready: 0 when it is, 1 when not.',
  },
  help: { flag: 'help', short: 'h', doc: 'Print this help.' },
  version: { flag: 'version', short: 'v', doc: 'Print the versions of rr-serve and Node.js.' },
} as const

export type CliAction = keyof typeof CLI_ACTIONS

const HELP_TITLES = [
  'Server',
  'Workers',
  'Limits',
  'Time limits',
  'Proxies',
  'Admin',
  'Log',
  'Development',
] as const
type HelpTitle = (typeof HELP_TITLES)[number]

/** Options of `serve()` that help shows elsewhere than under Server. */
const SERVER_TITLES: Readonly<Partial<Record<keyof typeof SERVER_OPTIONS, HelpTitle>>> = {
  workers: 'Workers',
  balance: 'Workers',
  rebalance: 'Workers',
  stallTimeoutMs: 'Workers',
  replaceStalled: 'Workers',
  workerHeapMb: 'Workers',
  maxConnections: 'Limits',
  overload: 'Limits',
  maxRequestsInFlight: 'Limits',
  maxRequestsInFlightPerWorker: 'Limits',
  shedLoopDelayMs: 'Limits',
  drainTimeoutMs: 'Time limits',
  drainIdleGraceMs: 'Time limits',
  maxConnectionsPerClient: 'Limits',
  clientIpv6PrefixBits: 'Limits',
  proxyProtocol: 'Proxies',
  proxyHeaderTimeoutMs: 'Proxies',
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
    ...rowsOf(CLI_OPTIONS, (name) => cliTitle(name) === title),
  }),
})).filter(({ options }) => Object.keys(options).length > 0)

/** Every option that has a flag. */
export const COMMAND_OPTIONS: OptionTable = Object.assign(
  {},
  ...OPTION_GROUPS.map(({ options }) => options),
)

/** A row that is new is in the right place when its name has its unit, as all have. */
function httpTitle(name: string): HelpTitle {
  if (/^(trustedProxies|forwardedHeaders)$/.test(name)) return 'Proxies'
  return /Ms$|PerSecond$/.test(name) ? 'Time limits' : 'Limits'
}

function cliTitle(name: string): HelpTitle {
  return DEVELOPMENT_OPTIONS.has(name) ? 'Development' : 'Log'
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
