import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ServeProcess } from './support/serve-process.ts'

const app = (value: string): string =>
  `import { text } from '@rr/core'\nexport default () => text('${value}')\n`

function start(t: Test, code: string, ...args: string[]): { cwd: string; server: ServeProcess } {
  const cwd = t.testdir({ 'app.js': code })
  return { cwd, server: new ServeProcess(t, ['-p', '0', '-w', '2', ...args, 'app.js'], { cwd }) }
}

t.test('SIGHUP reloads the application, and ends nothing', async (t) => {
  const { cwd, server } = start(t, app('one'))
  const url = await server.url()
  t.equal(await (await fetch(url)).text(), 'one')
  writeFileSync(join(cwd, 'app.js'), app('two'))
  server.child.kill('SIGHUP')
  await server.printed(/"msg":"reloaded in \d+ ms: SIGHUP"/)
  t.equal(await (await fetch(url)).text(), 'two')
  t.equal(await server.stop(), 0)
})

t.test('SIGHUP with code that is broken: the old serves on, the log says why', async (t) => {
  const { cwd, server } = start(t, app('one'))
  const url = await server.url()
  writeFileSync(join(cwd, 'app.js'), 'export default = 1\n')
  server.child.kill('SIGHUP')
  await server.printed(/not reloaded, the code before serves on: SIGHUP.*app\.js:1:\d+/)
  t.equal(await (await fetch(url)).text(), 'one')
  t.equal(await server.stop(), 0)
})

t.test('SIGHUP during the start reloads after it', async (t) => {
  const gate = `
    import { watch, existsSync } from 'node:fs'
    const watcher = watch('.')
    await new Promise((resolve) => {
      watcher.on('change', () => existsSync('go') && resolve())
      if (existsSync('go')) resolve()
    })
    watcher.close()\n`
  const { cwd, server } = start(t, gate + app('one'))
  await server.printed(/"msg":"2 workers/)
  server.child.kill('SIGHUP')
  await server.printed(/"msg":"SIGHUP: the reload follows once the server has started"/)
  writeFileSync(join(cwd, 'go'), '')
  await server.printed(/listening on[\s\S]*"msg":"reloaded in \d+ ms: SIGHUP"/)
  t.equal(await server.stop(), 0)
})

t.test('--cpu-prof: a worker that a reload replaces leaves its profile, too', async (t) => {
  const { server } = start(t, app('one'), '--cpu-prof')
  await server.port()
  server.child.kill('SIGHUP')
  await server.printed(/"msg":"reloaded in/)
  t.equal(await server.stop(), 0)
  t.equal(server.records().filter(({ msg }) => msg.startsWith('CPU profile in ')).length, 4)
})

t.test('--inspect-worker: the debugger goes to the worker that a reload brings', async (t) => {
  const { server } = start(t, app('one'), '--inspect-worker', '1:0')
  await server.port()
  server.child.kill('SIGHUP')
  await server.printed(/"msg":"reloaded in/)
  await server.printed(/(?:"worker":1,"url":"ws:[\s\S]*){2}/)
  t.equal(await server.stop(), 0)
})
