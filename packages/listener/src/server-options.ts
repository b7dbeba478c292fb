import {
  HTTP_OPTIONS,
  type HttpOptions,
  type HttpOptionsInput,
  type OptionsInput,
  type OptionTable,
  type ResolvedOptions,
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
    doc: 'What a connection past maxConnections gets: a 503 with Retry-After, or a reset.',
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
  stallTimeoutMs: {
    type: 'integer',
    default: 10_000,
    minimum: 0,
    maximum: 3_600_000,
    doc: 'A worker whose event loop stands still for longer is reported; under 400 ms healthy ones can be as well. 0 turns the watch off.',
  },
  replaceStalled: {
    type: 'boolean',
    default: false,
    doc: 'Ends a stalled worker, with all its connections, and starts another.',
  },
  workerHeapMb: {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1_048_576,
    doc: "Most MiB of JavaScript heap (old generation) that a worker may use; past it the worker is replaced. 0 leaves V8's own limit.",
  },
} as const

const {
  workers: _workers,
  stallTimeoutMs: _stallTimeoutMs,
  replaceStalled: _replaceStalled,
  workerHeapMb: _workerHeapMb,
  ...LISTENER_ROWS
} = SERVER_OPTIONS
type WorkerOption = 'workers' | 'stallTimeoutMs' | 'replaceStalled' | 'workerHeapMb'

/** What `listen()` takes besides HTTP_OPTIONS: it has no workers to configure. */
export const LISTEN_OPTIONS: Omit<typeof SERVER_OPTIONS, WorkerOption> = LISTENER_ROWS

/** Options that are functions or modules, which no table can hold. */
const SERVE_HOOKS = ['onEvent', 'workerHooks', 'workerHooksData'] as const
const LISTEN_HOOKS = ['onEvent', 'onError', 'onAccess'] as const

/** What one serving thread must know. */
export type ThreadSettings = ResolvedOptions<typeof LISTEN_OPTIONS> & HttpOptions
/** What the supervisor must know. */
export type ServerSettings = ResolvedOptions<typeof SERVER_OPTIONS> & HttpOptions

export type ServerOptionsInput = OptionsInput<typeof SERVER_OPTIONS> & HttpOptionsInput
export type ListenOptionsInput = OptionsInput<typeof LISTEN_OPTIONS> & HttpOptionsInput

/** Checks the options of `serve()`; hooks are passed over. */
export function resolveServerOptions(input: object): ServerSettings {
  return resolve({ ...SERVER_OPTIONS, ...HTTP_OPTIONS }, input, SERVE_HOOKS, 'serve()')
}

/** Checks the options of `listen()`; hooks are passed over. */
export function resolveListenOptions(input: object): ThreadSettings {
  return resolve({ ...LISTEN_OPTIONS, ...HTTP_OPTIONS }, input, LISTEN_HOOKS, 'listen()')
}

const DRAIN_OPTIONS = { timeoutMs: LISTENER_ROWS.drainTimeoutMs } as const

/** Checks the options of `drain()`. */
export function resolveDrainTimeout(
  input: { readonly timeoutMs?: number | undefined },
  defaultMs: number,
): number {
  const { timeoutMs } = resolveOptions(DRAIN_OPTIONS, input, 'drain()')
  return input.timeoutMs === undefined ? defaultMs : timeoutMs
}

function resolve<Table extends OptionTable>(
  table: Table,
  input: object,
  hooks: readonly string[],
  where: string,
): ResolvedOptions<Table> {
  const options: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(input)) {
    if (hooks.includes(key)) continue
    // Found here, not in resolveOptions: the nearest name may be a hook's.
    if (!Object.hasOwn(table, key))
      throw unknownOption(key, [...Object.keys(table), ...hooks], where)
    options[key] = value
  }
  return resolveOptions(table, options as OptionsInput<Table>, where)
}
