// What pages and deployment files name, held to the tables that the code reads: flags, variables with
// their values, metrics, commands.

import { globSync, readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { METRICS } from '../../packages/listener/src/admin/metric-table.ts'
import { CLI_ACTIONS, COMMAND_OPTIONS } from '../../packages/rr-serve/src/cli-options.ts'
import { readCommand } from '../../packages/rr-serve/src/command.ts'
import {
  APPLICATION_VARIABLE,
  environmentNames,
  readEnvironment,
} from '../../packages/rr-serve/src/environment.ts'

const ROOT = new URL('../../', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, ROOT), 'utf8')
const glob = (pattern: string): string[] => globSync(pattern, { cwd: ROOT })

const PAGES = [
  'README.md',
  'SECURITY.md',
  'docs/coming-from.md',
  ...glob('docs/guide/*.md'),
  ...glob('docs/deploy/*.md'),
]
const DEPLOYMENT = 'docs/deploy/kubernetes/deployment.yaml'
const UNIT = 'docs/deploy/systemd/rr.service'

/** Flags on these pages that are of other programs. */
const FLAGS_OF_OTHERS: Readonly<Record<string, readonly string[]>> = {
  curl: ['--retry', '--retry-all-errors', '--retry-delay'],
  kubelet: ['--allowed-unsafe-sysctls'],
  node: ['--inspect'],
  podman: ['--init', '--read-only', '--stop-timeout', '--tmpfs'],
  systemctl: ['--now'],
}
/** Variables that are not the command's. */
const VARIABLES_OF_OTHERS = ['RR_NO_APT']

const VARIABLES = [
  ...Object.entries(COMMAND_OPTIONS).flatMap(([name, row]) => environmentNames(name, row)),
  APPLICATION_VARIABLE,
]

/** What is named on any of the pages, with the page. */
function named(pattern: RegExp, pages: readonly string[] = PAGES): Map<string, string> {
  const found = new Map<string, string>()
  for (const page of pages) {
    for (const [name] of read(page).matchAll(pattern)) found.set(name, page)
  }
  return found
}

const without = (found: Map<string, string>, known: Iterable<string>): string[] => {
  const set = new Set(known)
  return [...found].filter(([name]) => !set.has(name)).map(([name, page]) => `${page}: ${name}`)
}

t.test('flags are of the command, or of a program that is listed here', async (t) => {
  const rows = [...Object.values(COMMAND_OPTIONS), ...Object.values(CLI_ACTIONS)]
  const flags = rows.map(({ flag }) => `--${flag}`)
  const others = Object.values(FLAGS_OF_OTHERS).flat()
  const found = named(/(?<![\w-])--[a-z][a-z\d-]*/g)
  t.ok(found.size > 20)
  t.strictSame(without(found, [...flags, ...others]), [])
  t.strictSame(
    others.filter((flag) => !found.has(flag)),
    [],
    'none is listed in vain',
  )
})

t.test('variables are of the command, or codes of errors and warnings', async (t) => {
  const codes = [...read('docs/errors.md').matchAll(/^\| `(RR_\w+)`/gm)].map(
    ([, code = '']) => code,
  )
  const found = named(/\bRR_[A-Z\d_]+/g, [...PAGES, DEPLOYMENT, UNIT, 'Containerfile'])
  t.ok(found.size > 20)
  t.strictSame(without(found, [...VARIABLES, ...codes, ...VARIABLES_OF_OTHERS]), [])
})

t.test('metrics are in the table of metrics', async (t) => {
  const found = named(/\brr_[a-z\d_]+/g)
  t.ok(found.size > 20)
  t.strictSame(without(found, Object.keys(METRICS)), [])
})

t.test('commands are taken by the command', async (t) => {
  let count = 0
  for (const page of PAGES) {
    for (const [, block = ''] of read(page).matchAll(/^```sh\n([\s\S]*?)^```/gm)) {
      for (const line of block.replaceAll('\\\n', ' ').split('\n')) {
        const [program, ...args] = line.replace(/ # .*/, '').trim().split(/\s+/)
        if (program !== 'rr-serve') continue
        count++
        t.doesNotThrow(() => readCommand(args, {}), `${page}: ${line}`)
      }
    }
  }
  t.ok(count > 5)
})

t.test('deployment files give variables values that the command takes', async (t) => {
  const { spec } = parse(read(DEPLOYMENT)) as {
    spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } }
  }
  const [container] = spec.template.spec.containers
  const inPod = container!.env.map(({ name, value = '1' }) => [name, value] as const)
  const inUnit = [...read(UNIT).matchAll(/^Environment=(RR_\w+)=(.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value] as const,
  )
  for (const pairs of [inPod, inUnit]) {
    t.ok(pairs.length > 3)
    const options = readEnvironment(Object.fromEntries(pairs), COMMAND_OPTIONS)
    t.equal(Object.keys(options).length, pairs.length, 'each sets an option')
  }
})
