import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { ServeProcess } from '../../packages/rr-serve/test/support/serve-process.ts'
import { bin, installEnv, packageManagerSpec, toolEnv } from '../../scripts/project-paths.mjs'

const example = fileURLToPath(new URL('../examples/opentelemetry/', import.meta.url))

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Manifest
}

/** Some registries hang rather than refuse. */
const INSTALL_TIMEOUT_MS = 60_000

/** They are no part of the repository's install. */
function isInstalled(): boolean {
  try {
    return Object.entries(manifest(example).dependencies).every(
      ([name, version]) => manifest(`${example}node_modules/${name}`).version === version,
    )
  } catch {
    return false
  }
}

/** False once the packages are there; else why not. */
async function whyMissing(): Promise<string | false> {
  if (isInstalled()) return false
  const install = ['--yes', packageManagerSpec(), '--dir', example, 'install', '--frozen-lockfile']
  try {
    await promisify(execFile)('npx', install, {
      env: { ...toolEnv(installEnv()), npm_config_fetch_retries: '1' },
      cwd: example,
      timeout: INSTALL_TIMEOUT_MS,
    })
    return isInstalled() ? false : 'the OpenTelemetry packages are not what the example asks for'
  } catch (error) {
    const { message } = error as Error
    return `the OpenTelemetry packages cannot be installed: ${message.split('\n').slice(0, 3).join(' ')}`
  }
}

interface Span {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | null
  readonly status: number
  readonly attributes: Readonly<Record<string, unknown>>
}

const SERVER = 1
const CLIENT = 2
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const PARENT_ID = 'b7ad6b7169203331'

t.setTimeout(INSTALL_TIMEOUT_MS * 3)

const skip = await whyMissing()

t.test('the example compiles', { skip }, async (t) => {
  await t.resolves(promisify(execFile)(bin('tsc'), ['-p', example]))
})

t.test('an application traced over two workers', { skip }, async (t) => {
  const traced = new ServeProcess(t, ['--port', '0', '--workers', '2', `${example}app.ts`], {
    env: { RR_HOST: '127.0.0.1' },
  })
  const url = await traced.url()
  const ask = async (path: string, init?: RequestInit): Promise<string> =>
    (await fetch(url + path, init)).text()
  const spans = async (t: Test, name: string): Promise<Span> => {
    await traced.printed(new RegExp(`^\\{"span":\\{"name":"${name}".*\\}\\n`, 'm'))
    const lines = traced.stdout.split('\n').filter((line) => line.startsWith('{"span"'))
    const found = lines.map((line) => (JSON.parse(line) as { span: Span }).span)
    const named = found.filter((span) => span.name === name)
    t.equal(named.length, 1, name)
    return named[0]!
  }

  await t.test('a server span for a request, with the attributes of its kind', async (t) => {
    await ask('/orders/42')
    const span = await spans(t, 'GET /orders/:id')
    t.equal(span.kind, SERVER)
    t.equal(span.parentId, null)
    t.equal(span.status, 0)
    t.same(span.attributes, {
      'http.request.method': 'GET',
      'http.route': '/orders/:id',
      'http.response.status_code': 200,
      'url.path': '/orders/42',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'client.address': '127.0.0.1',
    })
  })

  await t.test('a span made in the handler after an await is a child of it', async (t) => {
    const [child, parent] = [await spans(t, 'find stock'), await spans(t, 'GET /orders/:id')]
    t.equal(child.parentId, parent.spanId)
    t.equal(child.traceId, parent.traceId)
  })

  await t.test(
    'a parent in traceparent is honoured, and an outgoing fetch carries on',
    async (t) => {
      const headers = { traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` }
      const carried = await ask('/relay', { headers })
      const relay = await spans(t, 'GET /relay')
      t.match(relay, { kind: SERVER, traceId: TRACE_ID, parentId: PARENT_ID })
      const client = await spans(t, 'GET')
      t.match(client, { kind: CLIENT, traceId: TRACE_ID, parentId: relay.spanId })
      t.equal(carried, `00-${TRACE_ID}-${client.spanId}-01`)
      t.equal((await spans(t, 'GET /trace-parent')).parentId, client.spanId)
    },
  )

  await t.test('a handler that fails is an error with its type; a 410 is none', async (t) => {
    t.match(await ask('/fails'), /500/)
    const failed = await spans(t, 'GET /fails')
    t.equal(failed.status, 2)
    t.match(failed.attributes, { 'error.type': 'TypeError', 'http.response.status_code': 500 })
    await ask('/gone')
    const gone = await spans(t, 'GET /gone')
    t.equal(gone.status, 0)
    t.notOk('error.type' in gone.attributes)
    t.equal(gone.attributes['http.response.status_code'], 410)
  })

  await t.test(
    'a request of no route and an unknown method has no name of its making',
    async (t) => {
      await ask('/no/such/path', { method: 'PROPFIND' })
      const span = await spans(t, '_OTHER')
      t.match(span.attributes, {
        'http.request.method': '_OTHER',
        'http.request.method_original': 'PROPFIND',
        'http.response.status_code': 404,
      })
      t.notOk('http.route' in span.attributes)
    },
  )

  t.equal(await traced.stop(), 0)
})
