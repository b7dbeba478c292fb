// The published packages as a user meets them: installed from tarballs into an empty project
// outside this workspace, used by an application that is type-checked and served there.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import t from 'tap'
import { packPackages } from '../scripts/pack-packages.mjs'
import { inRoot } from '../scripts/project-paths.mjs'
import { cleanEnv, ServedProcess } from './support/served-process.ts'

const APP = `
import { composeMiddleware, json, text } from '@rr/core'
import { requestId } from '@rr/middleware'
import { createRouter } from '@rr/router'

const app = createRouter()
app.get('/', composeMiddleware([requestId()], () => text('Hello from a package')))
app.get('/users/:id', (req) => json({ id: req.params.id }))
// @ts-expect-error the pattern has no such parameter
app.get('/teams/:team', (req) => text(req.params.player))
app.post('/echo', async (req) => json(await req.json(), { status: 201 }))
export default app
`

const EMBEDDING = `
import { serve } from '@rr/listener'

const options = { port: 0, workers: 1, adminPort: 0 }
const server = await serve(new URL('./app.ts', import.meta.url), options)
const response = await fetch(\`http://127.0.0.1:\${server.port}/\`)
console.log(await response.text())
const page = await fetch(\`\${server.admin?.url}/\`)
console.log('page', page.status, /<title>/.test(await page.text()))
await server.stop()
`

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    skipLibCheck: false,
    noEmit: true,
  },
  include: ['*.ts'],
}

/** Installing downloads the packages' own dependencies and the compiler. */
const INSTALL_TIMEOUT_MS = 180_000

const { devDependencies } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))

// Not t.testdir: that is inside the workspace, whose node_modules would hide what is missing.
const parent = mkdtempSync(join(tmpdir(), 'rr packages '))
t.teardown(() => rmSync(parent, { recursive: true, force: true }))
t.setTimeout(2 * INSTALL_TIMEOUT_MS)

const project = join(parent, 'app')
const env = cleanEnv({
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  NODE_PATH: undefined,
})

function run(command: string, args: string[]): { status: number | null; output: string } {
  const options = { cwd: project, env, encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS } as const
  const { status, stdout, stderr, error } = spawnSync(command, args, options)
  return { status, output: `${error ?? ''}${stdout}${stderr}` }
}

t.test('the packages pack', async (t) => {
  mkdirSync(join(parent, 'tarballs'))
  const tarballs = packPackages(join(parent, 'tarballs'))
  t.equal(tarballs.length, 5)

  for (const { name, tarball } of tarballs) {
    const files = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).stdout.split('\n')
    for (const expected of ['package.json', 'README.md', 'LICENSE']) {
      t.ok(files.includes(`package/${expected}`), `${name} holds ${expected}`)
    }
    t.notOk(
      files.some((file) => /^package\/(src|test|node_modules)\/|\.tsbuildinfo$/.test(file)),
      `${name} holds no sources, tests or build state`,
    )
  }

  mkdirSync(project)
  const dependencies = Object.fromEntries(
    tarballs.map(({ name, tarball }) => [packageName(name), `file:${tarball}`]),
  )
  const manifest = {
    name: 'app',
    private: true,
    type: 'module',
    dependencies,
    devDependencies: {
      '@types/node': devDependencies['@types/node'],
      typescript: devDependencies.typescript,
    },
    // The packages depend on each other by version, and these versions are not published yet.
    overrides: Object.fromEntries(Object.keys(dependencies).map((name) => [name, `$${name}`])),
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  writeFileSync(join(project, 'app.ts'), APP)
  writeFileSync(join(project, 'embedding.ts'), EMBEDDING)
})

t.test('the tarballs install', async (t) => {
  const installed = run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'])
  t.equal(installed.status, 0, installed.output)
})

t.test('an application type-checks against them', async (t) => {
  const checked = run(join(project, 'node_modules', '.bin', 'tsc'), ['-p', '.'])
  t.equal(checked.output.trim(), '')
  t.equal(checked.status, 0)
})

t.test('the installed command serves the application', async (t) => {
  const command = join(project, 'node_modules', '.bin', 'rr-serve')
  const server = new ServedProcess(
    command,
    ['--host', '127.0.0.1', '--port', '0', '--workers', '1', 'app.ts'],
    { cwd: project, env },
  )
  t.teardown(() => server.child.kill('SIGKILL'))

  const address = await server.address()
  const hello = await fetch(`${address}/`)
  t.equal(await hello.text(), 'Hello from a package')
  t.match(hello.headers.get('x-request-id'), /./)
  t.same(await (await fetch(`${address}/users/7`)).json(), { id: '7' })
  const headers = { 'content-type': 'application/json' }
  const echo = await fetch(`${address}/echo`, { method: 'POST', body: '{"a":1}', headers })
  t.equal(echo.status, 201)
  t.same(await echo.json(), { a: 1 })

  server.child.kill('SIGTERM')
  t.same(await server.ended, { code: 0, signal: null }, server.output)
})

t.test('the application can be served from code', async (t) => {
  const embedded = run(process.execPath, ['embedding.ts'])
  t.match(embedded, { status: 0, output: /Hello from a package\npage 200 true/ })
})

/** The command's package is the only one outside the scope. */
function packageName(folder: string): string {
  return folder === 'rr-serve' ? folder : `@rr/${folder}`
}
