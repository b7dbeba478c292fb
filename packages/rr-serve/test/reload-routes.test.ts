import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { serve } from '@rr/listener'
import t from 'tap'
import { createWriterState } from '../src/output-turn.ts'
import type { WorkerHooksData } from '../src/worker-hooks.ts'

const ROUTES = (version: number): string => `
enum Version { current = ${version} }
class Answer { constructor(readonly status: number, readonly body: string) {} }
export default () => new Answer(200, String(Version.current))
`

t.test('routes in TypeScript that has to be transformed are loaded anew', async (t) => {
  const folder = t.testdir({
    'package.json': '{"type":"module"}',
    'app.ts': `import { defineApp } from '${import.meta.resolve('@rr/core')}'
export default defineApp({ routes: new URL('./routes.ts', import.meta.url), setup() {} })
`,
    'routes.ts': ROUTES(1),
  })
  const application = pathToFileURL(join(folder, 'app.ts'))
  const workerHooksData: WorkerHooksData = {
    application: application.href,
    accessLog: false,
    watchChannel: null,
    cpuProfDir: null,
    debugged: null,
    logSettings: {
      level: 'silent',
      format: 'json',
      colour: false,
      fd: 2,
      writerState: createWriterState(),
    },
  }
  const server = await serve(application, {
    host: '127.0.0.1',
    port: 0,
    workers: 2,
    workerHooks: new URL('../src/worker-hooks.ts', import.meta.url),
    workerHooksData,
  })
  t.teardown(() => server.stop())
  const ask = async (): Promise<string> => (await fetch(server.url)).text()
  t.equal(await ask(), '1')
  const rewrite = (source: string): void => writeFileSync(join(folder, 'routes.ts'), source)
  rewrite(ROUTES(2))
  await server.reloadRoutes()
  t.equal(await ask(), '2')

  rewrite(`${ROUTES(3)}\nconst a: = 5`)
  const failure = (await server.reloadRoutes().catch((error: unknown) => error)) as Error
  t.match(failure, { code: 'RR_RELOAD_FAILED', cause: { name: 'SyntaxError' } })
  t.match((failure.cause as Error).stack, /routes\.ts\?rr-routes=2:6\n/, 'which line')
  t.equal(await ask(), '2')

  rewrite(ROUTES(4))
  await server.reloadRoutes()
  t.equal(await ask(), '4')
})
