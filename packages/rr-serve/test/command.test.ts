import t from 'tap'
import { type HealthCheckCommand, readCommand, type ServeCommand } from '../src/command.ts'

function serve(argv: string[], environment: Record<string, string> = {}): ServeCommand {
  const command = readCommand(argv, environment)
  if (command.kind !== 'serve') throw new Error(command.kind)
  return command
}

t.test('a flag comes before a variable, a variable before the default', async (t) => {
  t.strictSame(serve(['app.ts']).serverOptions, {}, 'serve() has the defaults of its own options')
  const defaults = {
    logLevel: 'info',
    accessLog: false,
    watch: false,
    watchPath: '',
    inspectWorker: '',
    cpuProf: false,
    cpuProfDir: '.',
  }
  t.strictSame(serve(['app.ts']).cliOptions, defaults)
  const environment = { RR_PORT: '1', RR_WORKERS: '3', RR_LOG_LEVEL: 'warn', RR_ACCESS_LOG: '1' }
  t.strictSame(serve(['-p', '2', '--no-access-log', 'app.ts'], environment), {
    kind: 'serve',
    application: 'app.ts',
    serverOptions: { port: 2, workers: 3 },
    cliOptions: { ...defaults, logLevel: 'warn' },
  })
})

t.test('the application is an argument, or else in RR_APP', async (t) => {
  t.equal(serve(['a.ts'], { RR_APP: 'b.ts' }).application, 'a.ts')
  t.equal(serve([], { RR_APP: 'b.ts' }).application, 'b.ts')
  for (const environment of [{}, { RR_APP: '' }]) {
    t.throws(() => readCommand([], environment), {
      code: 'RR_OPTION_INVALID',
      message: 'no application is named, neither as an argument nor in RR_APP',
    })
  }
  t.throws(() => readCommand(['a.ts', 'b.ts'], {}), {
    message: "one application is served, but 'a.ts' and 'b.ts' are named",
  })
})

t.test('an action needs no application and looks at no variable', async (t) => {
  t.strictSame(readCommand(['--version'], { RR_PORT: 'x' }), { kind: 'version' })
  t.strictSame(readCommand(['-h'], {}), { kind: 'help' })
})

t.test(
  'a health check has the options of the server that it asks, and needs no application',
  async (t) => {
    const check = (
      argv: string[],
      environment: Record<string, string> = {},
    ): HealthCheckCommand => {
      const command = readCommand(argv, environment)
      if (command.kind !== 'healthcheck') throw new Error(command.kind)
      return command
    }
    const environment = { RR_PORT: '1', RR_HOST: '::1', RR_APP: 'app.ts' }
    t.match(check(['--healthcheck'], environment), { url: null, options: { port: 1, host: '::1' } })
    t.match(check(['--healthcheck', '-p', '2'], environment).options, { port: 2 })
    t.match(check(['-p', '2', '--healthcheck'], environment).options, { port: 2 })
    t.match(check(['--healthcheck']).options, { port: 8080, host: '0.0.0.0' }, 'the defaults')
    t.equal(check(['--healthcheck', 'http://a/readyz']).url, 'http://a/readyz')
    for (const argv of [
      ['ftp://a'],
      ['app.ts'],
      ['http://'],
      ['http://a', 'http://b'],
      ['-p', 'x'],
    ]) {
      t.throws(
        () => check(['--healthcheck', ...argv]),
        { code: 'RR_OPTION_INVALID' },
        argv.join(' '),
      )
    }
  },
)

t.test('a worker to debug is judged before anything is started', async (t) => {
  t.equal(serve(['--inspect-worker', '2:9230', 'app.ts']).cliOptions.inspectWorker, '2:9230')
  t.throws(() => serve(['--inspect-worker=0', 'app.ts']), { code: 'RR_OPTION_INVALID' })
})
