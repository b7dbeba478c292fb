import { HTTP_OPTIONS, type OptionRow } from '@rr/core'
import t from 'tap'
import {
  LISTEN_OPTIONS,
  resolveListenOptions,
  resolveServerOptions,
  SERVER_OPTIONS,
} from '../src/server-options.ts'

const rows: [string, OptionRow][] = Object.entries(SERVER_OPTIONS)

t.test('without options every row has its default', async (t) => {
  const settings: Record<string, unknown> = { ...resolveServerOptions({}) }
  for (const [name, row] of rows) t.equal(settings[name], row.default, name)
  for (const [name, row] of Object.entries(HTTP_OPTIONS)) t.equal(settings[name], row.default, name)
})

t.test('every row takes its bounds and refuses what is just outside', async (t) => {
  for (const [name, row] of rows) {
    for (const value of insideOf(row)) {
      // Which some of them need.
      const input = { trustedProxies: ['loopback'], [name]: value }
      const settings: Record<string, unknown> = { ...resolveServerOptions(input) }
      t.equal(settings[name], value, `${name}: ${value}`)
    }
    for (const value of outsideOf(row)) {
      t.throws(
        () => resolveServerOptions({ [name]: value }),
        { code: 'RR_OPTION_INVALID', message: new RegExp(`serve\\(\\): '${name}'`) },
        `${name}: ${String(value)}`,
      )
    }
  }
})

t.test('listen() takes the same rows, but those of workers', async (t) => {
  t.strictSame(
    Object.keys(SERVER_OPTIONS).filter((name) => !Object.hasOwn(LISTEN_OPTIONS, name)),
    [
      'workers',
      'balance',
      'rebalance',
      'stallTimeoutMs',
      'replaceStalled',
      'workerHeapMb',
      'drainDelayMs',
      'adminPort',
      'adminHost',
      'metrics',
      'maxMetricSeries',
    ],
  )
  t.equal(resolveListenOptions({ port: 0 }).port, 0)
  t.throws(() => resolveListenOptions({ workers: 2 }), { code: 'RR_OPTION_UNKNOWN' })
})

t.test('what believes proxies needs to know which', async (t) => {
  const modes = [
    { proxyProtocol: 'accept' },
    { proxyProtocol: 'require' },
    { forwardedHeaders: 'forwarded' },
    { forwardedHeaders: 'x-forwarded' },
  ]
  for (const options of modes) {
    const [name] = Object.keys(options)
    t.throws(() => resolveServerOptions(options), {
      code: 'RR_OPTION_INVALID',
      message: `serve(): '${name}' needs 'trustedProxies', the proxies that are believed`,
    })
    t.throws(() => resolveListenOptions(options), { message: /^listen\(\): / })
    t.match(resolveServerOptions({ ...options, trustedProxies: ['loopback'] }), options)
  }
  t.match(resolveServerOptions({ trustedProxies: ['loopback'] }), { proxyProtocol: 'off' })
})

t.test('an unknown key names the nearest of all that are taken', async (t) => {
  const nearest = {
    prt: 'port',
    maxConections: 'maxConnections',
    maxBodyByte: 'maxBodyBytes',
    headersTimeout: 'headersTimeoutMs',
    workersHook: 'workerHooks',
    onEvents: 'onEvent',
  }
  for (const [key, name] of Object.entries(nearest)) {
    t.throws(
      () => resolveServerOptions({ [key]: 1 }),
      {
        code: 'RR_OPTION_UNKNOWN',
        message: `serve(): unknown option '${key}'; did you mean '${name}'?`,
      },
      key,
    )
  }
})

t.test('hooks are checked for what they are', async (t) => {
  const url = "a URL, as in new URL('./hooks.ts', import.meta.url)"
  const wrong: [options: object, message: string][] = [
    [{ onEvent: 'x' }, "serve(): 'onEvent' takes a function, not 'x'"],
    [{ onEvent: null }, "serve(): 'onEvent' takes a function, not a value of type object"],
    [{ workerHooks: './x.js' }, `serve(): 'workerHooks' takes ${url}, not './x.js'`],
    [{ workerHooks: {} }, `serve(): 'workerHooks' takes ${url}, not a value of type object`],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => resolveServerOptions(options), { code: 'RR_OPTION_INVALID', message })
  }
  for (const name of ['onEvent', 'onError', 'onAccess']) {
    t.throws(() => resolveListenOptions({ [name]: 1 }), {
      code: 'RR_OPTION_INVALID',
      message: `listen(): '${name}' takes a function, not a value of type number`,
    })
  }
  for (const input of [null, 8080, 'x']) {
    t.throws(() => resolveServerOptions(input as unknown as object), {
      code: 'RR_OPTION_INVALID',
      message: 'serve() takes its options as an object',
    })
  }
})

t.test('every row can be set from the command line', async (t) => {
  for (const [name, row] of rows) {
    t.type(row.flag, 'string', name)
    if (row.type !== 'boolean') t.type(row.valueName, 'string', name)
  }
})

t.test('hooks are left out, undefined is the default', async (t) => {
  const settings = resolveServerOptions({ onEvent: () => {}, workerHooksData: 1, port: undefined })
  t.equal(settings.port, SERVER_OPTIONS.port.default)
  t.notOk('onEvent' in settings)
})

function insideOf(row: OptionRow): unknown[] {
  switch (row.type) {
    case 'integer':
      return [row.minimum, row.maximum]
    case 'integer-or-auto':
      return ['auto', row.minimum, row.maximum]
    case 'boolean':
      return [true, false]
    case 'enum':
      return [...row.values]
    case 'string':
      return ['x']
    case 'string-list':
      return [[], ['loopback']]
  }
}

function outsideOf(row: OptionRow): unknown[] {
  switch (row.type) {
    case 'integer':
    case 'integer-or-auto':
      return [row.minimum - 1, row.maximum + 1, row.minimum + 0.5, String(row.minimum), null]
    case 'boolean':
      return ['true', 1, null]
    case 'enum':
      return ['', 'other', null]
    case 'string':
      return ['', 1, null]
    case 'string-list':
      return ['loopback', [''], [1], null]
  }
}
