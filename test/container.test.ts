import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { CONTAINER_CHECKS } from '../scripts/container-checks.mjs'
import { whyNoNamespaces } from '../scripts/container-run.mjs'
import { inRoot } from '../scripts/project-paths.mjs'

// The short form of scripts/container-test.mjs: this machine's own tree instead of one that is built
// from the Containerfile, read-only too, with the built packages of the workspace in it.

const OTHERS_ENTER = 0o001
const command = [process.execPath, inRoot('packages/rr-serve/bin/rr-serve.js')]

/** Who is not root must be able to read the workspace. */
function whyUnreadable(): string | undefined {
  for (let folder = fileURLToPath(import.meta.url); folder !== dirname(folder); ) {
    folder = dirname(folder)
    if ((statSync(folder).mode & OTHERS_ENTER) === 0) return `only its owner may enter ${folder}`
  }
  return undefined
}

const reason = whyNoNamespaces() ?? whyUnreadable()

t.test('as in a container', { skip: reason ?? false }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rr-container-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const app = join(folder, 'app')
  cpSync(inRoot('test', 'fixtures', 'container-app'), app, { recursive: true })
  mkdirSync(join(app, 'node_modules'))
  symlinkSync(inRoot('packages'), join(app, 'node_modules', '@rr'))
  const root = join(folder, 'root')
  mkdirSync(root)
  const env = {
    PATH: process.env['PATH'] ?? '',
    RR_APP: join(app, 'app.ts'),
  }
  const container = { source: '/', root, mounts: [], user: '1000:1000', workdir: app, env }
  const healthcheck = [...command, '--healthcheck']
  for (const [title, check] of Object.entries(CONTAINER_CHECKS)) {
    await t.test(title, async (t) => {
      await t.resolves(check({ container, entrypoint: command, healthcheck, app }))
    })
  }
})
