import { createServer } from 'node:net'
import t from 'tap'
import { ServeProcess } from './support/serve-process.ts'

const APP = "export default { fetch: () => new Response('ok') }"

t.test('2: wrong usage, in one line with a hint', async (t) => {
  const cases: [args: string[], env: Record<string, string>, says: string][] = [
    [['--prot', '1', 'app.js'], {}, 'unknown option --prot; did you mean --port?'],
    [['--port', '65536', 'app.js'], {}, "--port takes a whole number from 0 to 65535, not '65536'"],
    [['app.js'], { RR_WORKERS: '0' }, "RR_WORKERS takes 'auto' or a whole number from 1 to"],
    [[], {}, 'no application is named'],
    [['a.js', 'b.js'], {}, "one application is served, but 'a.js' and 'b.js' are named"],
  ]
  for (const [args, env, says] of cases) {
    const server = new ServeProcess(t, args, { env })
    t.equal(await server.exit, 2)
    const [line = '', ...rest] = server.stderr.split('\n')
    t.ok(line.startsWith(`rr-serve: ${says}`), line)
    t.strictSame(rest, ["Try 'rr-serve --help'.", ''])
    t.equal(server.stdout, '')
  }
})

t.test('0: help and version go to stdout', async (t) => {
  const help = new ServeProcess(t, ['--help'])
  t.equal(await help.exit, 0)
  t.match(help.stdout, /^Usage: rr-serve \[options\] <application>\n/)
  const version = new ServeProcess(t, ['-v'])
  t.equal(await version.exit, 0)
  t.match(version.stdout, /^rr-serve \d+\.\d+\.\d+, Node\.js \d+\.\d+\.\d+\n$/)
  t.equal(help.stderr + version.stderr, '')
})

t.test('1: an application that is not there', async (t) => {
  const dir = t.testdir({ sub: {}, 'app.py': '' })
  const cases = {
    'nope.ts': `there is no file ${dir}/nope.ts`,
    sub: `${dir}/sub is a directory; name the application's file in it`,
    'app.py': `${dir}/app.py has the extension .py; an application is a file with .ts`,
  }
  for (const [path, says] of Object.entries(cases)) {
    const server = new ServeProcess(t, [path], { cwd: dir })
    t.equal(await server.exit, 1)
    t.ok(server.stderr.startsWith(`rr-serve: ${says}`), server.stderr)
    t.equal(server.stderr.trimEnd().split('\n').length, 1)
  }
})

t.test('1: the main thread fails', async (t) => {
  const dir = t.testdir({
    'app.js': APP,
    'preload.mjs': `
      import { isMainThread } from 'node:worker_threads'
      if (isMainThread) process.on('SIGUSR2', () => { throw new Error('unexpected') })`,
  })
  const server = new ServeProcess(t, ['-p', '0', '-w', '1', 'app.js'], {
    cwd: dir,
    env: { NODE_OPTIONS: '--import=./preload.mjs' },
  })
  await server.port()
  t.equal(await server.stop('SIGUSR2'), 1)
  t.match(
    server.records().find(({ level }) => level === 60),
    { worker: 0, msg: 'the supervisor failed: stopping', err: { message: 'unexpected' } },
  )
})

t.test('3: a port that is in use', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const dir = t.testdir({ 'app.js': APP })
  const args = ['--host', '127.0.0.1', '-p', String(port), '-w', '2', 'app.js']
  const server = new ServeProcess(t, args, { cwd: dir })
  t.equal(await server.exit, 3)
  t.equal(
    server.stderr,
    `rr-serve: cannot listen on 127.0.0.1:${port}: the port is already in use (EADDRINUSE)\n`,
  )
})

t.test('3: an address of another machine', async (t) => {
  const dir = t.testdir({ 'app.js': APP })
  const server = new ServeProcess(t, ['--host', '192.0.2.1', '-p', '0', 'app.js'], { cwd: dir })
  t.equal(await server.exit, 3)
  t.match(server.stderr, /^rr-serve: cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL/)
})
