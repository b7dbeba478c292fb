import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { PEERS_FOLDER, ROOT_FOLDER } from '../../src/servers/peers-folder.ts'

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8')

t.test('the lockfile of the peers names no place to download from', async (t) => {
  const lines = read(PEERS_FOLDER, 'pnpm-lock.yaml').split('\n')
  t.same(
    lines.filter((line) => /https?:\/\/|\btarball:/.test(line)),
    [],
  )
})

t.test('no package of the peers runs a script when it is installed', async (t) => {
  const settings = read(PEERS_FOLDER, 'pnpm-workspace.yaml')
  t.match(settings, /^allowBuilds:$/m)
  t.notMatch(settings, /: true$/m)
})

t.test('versions that stand in two places agree', async (t) => {
  const nodeVersion = (folder: string) =>
    /^nodeVersion: (.+)$/m.exec(read(folder, 'pnpm-workspace.yaml'))?.[1]
  t.equal(nodeVersion(PEERS_FOLDER), nodeVersion(ROOT_FOLDER))
})

const installed = existsSync(join(PEERS_FOLDER, 'node_modules'))
const skip = installed ? false : 'the peers are not installed; `npx pnpm bench:peers` does it'

// Their types are not here in a default install, so the type check of the workspace leaves them out.
t.test('types of the peers’ programs', { skip }, async (t) => {
  const tsc = join(ROOT_FOLDER, 'node_modules', '.bin', 'tsc')
  for (const project of ['tsconfig.json', 'tsconfig.bun.json']) {
    const { stdout } = await promisify(execFile)(tsc, ['-p', join(PEERS_FOLDER, project)]).catch(
      (error: { stdout: string }) => error,
    )
    t.equal(stdout, '', project)
  }
})
