import {
  HTTP_OPTIONS,
  type HttpOptions,
  type HttpOptionsInput,
  type OptionsInput,
  type OptionTable,
  type ResolvedOptions,
  RrError,
  resolveOptions,
  unknownOption,
} from '@rr/core'

/** What `serve()` and the command take besides HTTP_OPTIONS. */
export const SERVER_OPTIONS = {
  host: {
    type: 'string',
    default: '0.0.0.0',
    flag: 'host',
    valueName: 'address',
    doc: "Address or host name to listen on; '0.0.0.0' is every IPv4 address, '::' every address.",
  },
  port: {
    type: 'integer',
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    flag: 'port',
    valueName: 'number',
    short: 'p',
    doc: 'Port to listen on; 0 takes a free one.',
  },
  maxConnections: {
    type: 'integer',
    default: 10_000,
    minimum: 1,
    maximum: 10_000_000,
    flag: 'max-connections',
    valueName: 'number',
    doc: 'Most connections open at a time, over all workers; more are refused as `overload` says.',
  },
  overload: {
    type: 'enum',
    default: 'answer',
    values: ['answer', 'close'],
    flag: 'overload',
    valueName: 'mode',
    doc: 'What a connection past maxConnections gets: a 503 with Retry-After, or a close by reset, which leaves no TIME_WAIT entry in the system as a regular close would, of which a flood of refused clients would make many.',
  },
  maxRequestsInFlight: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 10_000_000,
    flag: 'max-requests-in-flight',
    valueName: 'number',
    doc: 'Most requests in the hands of the application at a time, over all workers; more are answered 503 with Retry-After. A request counts until its answer has ended and its handler has settled, also when its client has left. 0 for any number.',
  },
  maxRequestsInFlightPerWorker: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 10_000_000,
    flag: 'max-requests-in-flight-per-worker',
    valueName: 'number',
    doc: 'The same for each worker by itself. 0 for any number.',
  },
  shedLoopDelayMs: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 3_600_000,
    flag: 'shed-loop-delay',
    valueName: 'ms',
    doc: 'While the event loop of a worker is late by more than this again and again, the worker answers a part of its requests with 503 and Retry-After, as large a part as it takes, and fewer again once it keeps up. 0 sheds nothing: a program whose handlers block on purpose would be refused work that it can do.',
  },
  maxConnectionsPerClient: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 10_000_000,
    flag: 'max-connections-per-client',
    valueName: 'number',
    doc: 'Most connections that one client address has open at a time, over all workers; more are refused as `overload` says. Those of trustedProxies themselves are not limited. 0 sets no limit.',
  },
  clientIpv6PrefixBits: {
    type: 'integer',
    default: 64,
    minimum: 16,
    maximum: 128,
    flag: 'client-ipv6-prefix',
    valueName: 'bits',
    doc: 'How much of an IPv6 address tells a client from another, for maxConnectionsPerClient.',
  },
  proxyProtocol: {
    type: 'enum',
    default: 'off',
    values: ['off', 'accept', 'require'],
    flag: 'proxy-protocol',
    valueName: 'mode',
    doc: "Whether connections begin with a PROXY protocol header (version 1 or 2). With 'accept' those from trustedProxies must, and others must not; with 'require' all must, and those from elsewhere are closed.",
  },
  proxyHeaderTimeoutMs: {
    type: 'integer',
    default: 5000,
    minimum: 1,
    maximum: 3_600_000,
    flag: 'proxy-header-timeout',
    valueName: 'ms',
    doc: 'Time from accepting a connection in which its PROXY protocol header must be there; then it is closed.',
  },
  backlog: {
    type: 'integer',
    default: 511,
    minimum: 1,
    maximum: 65_535,
    flag: 'backlog',
    valueName: 'number',
    doc: 'Connections that may wait to be accepted, for each worker; the system bounds it too (net.core.somaxconn).',
  },
  drainTimeoutMs: {
    type: 'integer',
    default: 10_000,
    minimum: 0,
    maximum: 86_400_000,
    flag: 'drain-timeout',
    valueName: 'ms',
    doc: 'Time that a drain gives to open connections; past it they are cut.',
  },
  drainIdleGraceMs: {
    type: 'integer',
    default: 500,
    minimum: 0,
    maximum: 3_600_000,
    flag: 'drain-idle-grace',
    valueName: 'ms',
    doc: 'Time that a drain leaves to idle connections, for requests that are on their way.',
  },
  workers: {
    type: 'integer-or-auto',
    default: 'auto',
    minimum: 1,
    maximum: 1024,
    flag: 'workers',
    valueName: 'number',
    short: 'w',
    doc: "Worker threads; 'auto' starts one for each CPU that affinity and cgroup quota grant.",
  },
  balance: {
    type: 'enum',
    default: 'reuseport',
    values: ['reuseport', 'shared', 'ports'],
    flag: 'balance',
    valueName: 'mode',
    doc: "How connections come to workers: 'reuseport', each has its own socket on the port and the kernel chooses; 'shared', all have one socket, from which those take that have time (Linux, Node.js 26.1 or later); 'ports', worker 1 has `port`, worker 2 the next one and so on, for a proxy that balances itself.",
  },
  rebalance: {
    type: 'boolean',
    default: true,
    flag: 'rebalance',
    doc: "A busy worker that has well more connections than the others closes some of them with their next answer, so that their clients connect anew, to another worker mostly. Not with balance 'ports'.",
  },
  stallTimeoutMs: {
    type: 'integer',
    default: 10_000,
    minimum: 0,
    maximum: 3_600_000,
    flag: 'stall-timeout',
    valueName: 'ms',
    doc: 'A worker whose event loop stands still for longer is reported; under 400 ms healthy ones can be as well. 0 turns the watch off.',
  },
  replaceStalled: {
    type: 'boolean',
    default: false,
    flag: 'replace-stalled',
    doc: 'Ends a stalled worker, with all its connections, and starts another.',
  },
  workerHeapMb: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1_048_576,
    flag: 'worker-heap',
    valueName: 'MiB',
    doc: "Most MiB of JavaScript heap (old generation) that a worker may use; past it the worker is replaced. 0 leaves V8's own limit.",
  },
  drainDelayMs: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 3_600_000,
    flag: 'drain-delay',
    valueName: 'ms',
    doc: 'Time for which a drain still accepts connections while the admin server already says that it is not ready, so that balancers send no more; drainTimeoutMs begins after it.',
  },
  adminPort: {
    type: 'integer',
    default: -1,
    minimum: -1,
    maximum: 65_535,
    flag: 'admin-port',
    valueName: 'number',
    doc: 'Port of the admin server: health, metrics, the live page; 0 takes a free one, -1 has none.',
  },
  adminHost: {
    type: 'string',
    default: '127.0.0.1',
    flag: 'admin-host',
    valueName: 'address',
    doc: 'Address or host name of the admin server. It asks for no password: whoever reaches it reads it.',
  },
  metrics: {
    type: 'boolean',
    default: true,
    flag: 'metrics',
    doc: 'Whether workers measure what the admin server shows: durations of requests, heap, event loop, garbage collection, CPU. Without an admin server nothing is measured.',
  },
  maxMetricSeries: {
    type: 'integer',
    default: 1000,
    minimum: 10,
    maximum: 100_000,
    flag: 'max-metric-series',
    valueName: 'number',
    doc: "Combinations of route, method and class of status whose durations each worker keeps apart, at 400 bytes each; further ones are counted under the route 'other'.",
  },
} as const

const {
  workers: _workers,
  balance: _balance,
  rebalance: _rebalance,
  stallTimeoutMs: _stallTimeoutMs,
  replaceStalled: _replaceStalled,
  workerHeapMb: _workerHeapMb,
  drainDelayMs: _drainDelayMs,
  adminPort: _adminPort,
  adminHost: _adminHost,
  metrics: _metrics,
  maxMetricSeries: _maxMetricSeries,
  ...LISTENER_ROWS
} = SERVER_OPTIONS
type WorkerOption =
  | 'workers'
  | 'balance'
  | 'rebalance'
  | 'stallTimeoutMs'
  | 'replaceStalled'
  | 'workerHeapMb'
  | 'drainDelayMs'
  | 'adminPort'
  | 'adminHost'
  | 'metrics'
  | 'maxMetricSeries'

/** What `listen()` takes besides HTTP_OPTIONS: it has no workers to configure, nor a thread for an admin server. */
export const LISTEN_OPTIONS: Omit<typeof SERVER_OPTIONS, WorkerOption> = LISTENER_ROWS

/** An option that is a function or a module, which no table can hold. */
interface HookRow {
  /** What it takes, in words. */
  readonly takes: string
  /** Whether it takes a value; one that throws has the reason. */
  readonly accepts: (value: unknown) => boolean
}
type HookTable = Readonly<Record<string, HookRow>>

const FUNCTION: HookRow = { takes: 'a function', accepts: (value) => typeof value === 'function' }
const MODULE: HookRow = {
  takes: "a URL, as in new URL('./hooks.ts', import.meta.url)",
  accepts: (value) => value instanceof URL,
}
const CLONEABLE: HookRow = { takes: 'what can be cloned to a worker', accepts: canClone }

const SERVE_HOOKS: HookTable = {
  onEvent: FUNCTION,
  workerHooks: MODULE,
  workerHooksData: CLONEABLE,
}
const LOGGER: HookRow = { takes: 'a logger such as pino gives', accepts: isLogger }
const LISTEN_HOOKS: HookTable = {
  onEvent: FUNCTION,
  onError: FUNCTION,
  onAccess: FUNCTION,
  onRefusal: FUNCTION,
  log: LOGGER,
}

const LOGGER_METHODS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'child']

function isLogger(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const methods = value as Record<string, unknown>
  return LOGGER_METHODS.every((name) => typeof methods[name] === 'function')
}

function canClone(value: unknown): boolean {
  structuredClone(value)
  return true
}

/** What one serving thread must know. */
export type ThreadSettings = ResolvedOptions<typeof LISTEN_OPTIONS> & HttpOptions
/** What the supervisor must know. */
export type ServerSettings = ResolvedOptions<typeof SERVER_OPTIONS> & HttpOptions

export type ServerOptionsInput = OptionsInput<typeof SERVER_OPTIONS> & HttpOptionsInput
export type ListenOptionsInput = OptionsInput<typeof LISTEN_OPTIONS> & HttpOptionsInput

/** Checks the options of `serve()`; hooks are checked, and left out of the result. */
export function resolveServerOptions(input: object): ServerSettings {
  const where = 'serve()'
  const table = { ...SERVER_OPTIONS, ...HTTP_OPTIONS }
  return checkProxies(resolve(table, input, SERVE_HOOKS, where), where)
}

/** Checks the options of `listen()`; hooks are checked, and left out of the result. */
export function resolveListenOptions(input: object): ThreadSettings {
  const where = 'listen()'
  const table = { ...LISTEN_OPTIONS, ...HTTP_OPTIONS }
  return checkProxies(resolve(table, input, LISTEN_HOOKS, where), where)
}

/** Without anybody to trust these two do nothing, or refuse everybody: never what was meant. */
function checkProxies<Settings extends HttpOptions & Pick<ThreadSettings, 'proxyProtocol'>>(
  settings: Settings,
  where: string,
): Settings {
  if (settings.trustedProxies.length > 0) return settings
  for (const name of ['proxyProtocol', 'forwardedHeaders'] as const) {
    if (settings[name] === 'off') continue
    const message = `${where}: '${name}' needs 'trustedProxies', the proxies that are believed`
    throw new RrError('RR_OPTION_INVALID', message)
  }
  return settings
}

function resolve<Table extends OptionTable>(
  table: Table,
  input: object,
  hooks: HookTable,
  where: string,
): ResolvedOptions<Table> {
  if (typeof input !== 'object' || input === null) {
    throw new RrError('RR_OPTION_INVALID', `${where} takes its options as an object`)
  }
  const options: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(input)) {
    const hook = Object.hasOwn(hooks, key) ? hooks[key] : undefined
    if (hook !== undefined) checkHook(key, hook, value, where)
    // Found here, not in resolveOptions: the nearest name may be a hook's.
    else if (!Object.hasOwn(table, key)) {
      throw unknownOption(key, [...Object.keys(table), ...Object.keys(hooks)], where)
    } else options[key] = value
  }
  return resolveOptions(table, options as OptionsInput<Table>, where)
}

function checkHook(key: string, hook: HookRow, value: unknown, where: string): void {
  let options: ErrorOptions = {}
  try {
    if (value === undefined || hook.accepts(value)) return
  } catch (cause) {
    options = { cause }
  }
  const shown = typeof value === 'string' ? `'${value}'` : `a value of type ${typeof value}`
  const message = `${where}: '${key}' takes ${hook.takes}, not ${shown}`
  throw new RrError('RR_OPTION_INVALID', message, options)
}
