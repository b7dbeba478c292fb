import t from 'tap'
import { ServeProcess } from './support/serve-process.ts'

/** Every form of application, by file; each answers GET / with its own name. */
const APPLICATIONS = {
  'router.ts': `
    import { text } from '@rr/core'
    import { createRouter } from '@rr/router'
    const app = createRouter()
    app.get('/', () => text('router.ts'))
    export default app`,
  'handler.ts': `
    import { type HttpRequest, type HttpResponse, text } from '@rr/core'
    export default (request: HttpRequest): HttpResponse => text(request.path === '/' ? 'handler.ts' : '')`,
  'fetch.ts': `
    export default { fetch: (request: Request): Response => new Response('fetch.ts') }`,
  'defined.ts': `
    import { defineApp, text, type WorkerContext } from '@rr/core'
    let name = ''
    export default defineApp({
      handler: () => text(name),
      setup: async (context: WorkerContext) => { name = 'defined.ts' },
      teardown: ({ workerId }) => { console.log('teardown of worker ' + workerId) },
    })`,
  'script.js': `
    import { text } from '@rr/core'
    export default () => text('script.js')`,
  'module.mjs': `
    import { text } from '@rr/core'
    export default () => text('module.mjs')`,
  'common.cjs': `
    const { text } = require('@rr/core')
    module.exports = () => text('common.cjs')`,
  'typed-module.mts': `
    import { text } from '@rr/core'
    export default () => text('typed-module.mts' as string)`,
  'typed-common.cts': `
    const { text } = require('@rr/core')
    module.exports = (): unknown => text('typed-common.cts')`,
  'transformed.ts': `
    import { text } from '@rr/core'
    import { Kind } from './kind.ts'
    namespace Names { export const first = 'transformed' }
    class Name { constructor(private readonly kind: Kind) {} toString() { return Names.first + '.' + Kind[this.kind] } }
    export default () => text(String(new Name(<Kind>0)))`,
  'transformed-common.cts': `
    const { text } = require('@rr/core')
    enum Ending { cts }
    module.exports = () => text('transformed-common.' + Ending[0])`,
}

for (const file of Object.keys(APPLICATIONS)) {
  t.test(`serves ${file}`, async (t) => {
    const dir = t.testdir({ ...APPLICATIONS, 'kind.ts': 'export enum Kind { ts }' })
    const server = new ServeProcess(t, ['-p', '0', '-w', '2', file], { cwd: dir })
    const url = await server.url()
    t.equal(await (await fetch(url)).text(), file)
    t.equal(await server.stop(), 0)
    t.equal(server.stderr, '', 'no warning')
    if (file === 'defined.ts') {
      t.match(server.stdout, /^teardown of worker 1$/m)
      t.match(server.stdout, /^teardown of worker 2$/m)
    }
  })
}

t.test('an application in a package that does not say what its modules are', async (t) => {
  const dir = t.testdir({
    'package.json': '{}',
    'app.ts': "import { text } from '@rr/core'\nenum A { B }\nexport default () => text(A[0])",
    'app.cts':
      "const { text } = require('@rr/core')\nenum A { B }\nmodule.exports = () => text(A[0])",
    'plain.ts': "import { text } from '@rr/core'\nexport default () => text('B' as string)",
  })
  for (const file of ['app.ts', 'app.cts', 'plain.ts']) {
    const server = new ServeProcess(t, ['-p', '0', '-w', '1', file], { cwd: dir })
    t.equal(await (await fetch(await server.url())).text(), 'B', file)
    t.equal(await server.stop(), 0)
  }
})

t.test('the application by file URL, and in RR_APP', async (t) => {
  const dir = t.testdir({ 'app #1.js': "export default { fetch: () => new Response('ok') }" })
  const href = `file://${dir}/app%20%231.js`
  const server = new ServeProcess(t, ['--workers=1'], { env: { RR_APP: href, PORT: '0' } })
  t.equal(await (await fetch(await server.url())).text(), 'ok')
  t.equal(await server.stop('SIGINT'), 0)
})

t.test('options arrive at the server', async (t) => {
  const dir = t.testdir({
    'app.js': 'export default { fetch: async (r) => new Response((await r.text()).length + "") }',
  })
  const server = new ServeProcess(t, ['--max-body', '1kB', '--host', '127.0.0.1', 'app.js'], {
    cwd: dir,
    env: { RR_PORT: '0', RR_WORKERS: '1' },
  })
  const url = await server.url()
  const post = (length: number): Promise<Response> =>
    fetch(url, { method: 'POST', body: 'x'.repeat(length) })
  t.equal(await (await post(1000)).text(), '1000')
  t.equal((await post(1001)).status, 413)
  t.equal(await server.stop(), 0)
})
