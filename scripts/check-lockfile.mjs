// The lockfile must install from whatever registry a machine is set to, and the pins that are
// written in two places must agree.

import { readFileSync } from 'node:fs'
import { inRoot } from './project-paths.mjs'

const problems = []

const lockfileLines = readFileSync(inRoot('pnpm-lock.yaml'), 'utf8').split('\n')
for (const [index, line] of lockfileLines.entries()) {
  if (/https?:\/\/|\btarball:/.test(line)) {
    problems.push(`pnpm-lock.yaml:${index + 1}: names a place to download from: ${line.trim()}`)
  }
}

const manifest = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
const core = JSON.parse(readFileSync(inRoot('packages', 'core', 'package.json'), 'utf8'))
const nodeVersion = /^nodeVersion: (.+)$/m.exec(readFileSync(inRoot('pnpm-workspace.yaml'), 'utf8'))
if (nodeVersion?.[1] !== manifest.devDependencies.node) {
  problems.push("pnpm-workspace.yaml: nodeVersion differs from package.json's devDependency node")
}
if (core.dependencies.undici !== manifest.devDependencies.undici) {
  problems.push("packages/core/package.json: undici differs from the root's devDependency undici")
}

for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
