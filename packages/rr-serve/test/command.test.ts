import t from 'tap'
import { readCommand, type ServeCommand } from '../src/command.ts'

function serve(argv: string[], environment: Record<string, string> = {}): ServeCommand {
  const command = readCommand(argv, environment)
  if (command.kind !== 'serve') throw new Error(command.kind)
  return command
}

t.test('a flag comes before a variable, a variable before the default', async (t) => {
  t.strictSame(serve(['app.ts']).serverOptions, {}, 'serve() has the defaults of its own options')
  t.strictSame(serve(['app.ts']).cliOptions, { logLevel: 'info', accessLog: false })
  const environment = { RR_PORT: '1', RR_WORKERS: '3', RR_LOG_LEVEL: 'warn', RR_ACCESS_LOG: '1' }
  t.strictSame(serve(['-p', '2', '--no-access-log', 'app.ts'], environment), {
    kind: 'serve',
    application: 'app.ts',
    serverOptions: { port: 2, workers: 3 },
    cliOptions: { logLevel: 'warn', accessLog: false },
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
