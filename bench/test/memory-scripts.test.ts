// Short runs of the scripts that measure by themselves: that they do, not what they find.

import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { wrkDriver } from '../src/drivers/wrk.ts'

function run(script: string, ...parameters: string[]): string {
  const path = fileURLToPath(new URL(`../src/${script}`, import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...parameters], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stderr}`)
  return stdout
}

t.test('idle connections', async (t) => {
  const output = run('idle-memory.ts', '100', '1')
  t.match(
    output,
    /^100 idle connections, 1 rounds: rr -?\d+ bytes each, node:http -?\d+; ratio -?\d/m,
  )
})

t.test('soak', async (t) => {
  const output = run('soak.ts', '0.05')
  const [, requests, errors] = /^(\d+) requests, (\d+) errors/m.exec(output) ?? []
  t.ok(Number(requests) > 0, output)
  t.equal(Number(errors), 0)
  t.match(output, /resident memory .* slope -?\d+\.\d+ MiB a minute/)
})

const probe = await wrkDriver.probe()
const noWrk = 'missing' in probe ? probe.missing : false
const skip = availableParallelism() < 2 ? 'needs two CPUs' : noWrk

t.test('the cost of reading a request', { skip }, async (t) => {
  const output = run('reading-cost.ts', '1', '1')
  t.match(output, /^round 1: \d+\.\d\d us without, \d+\.\d\d us with reading$/m)
  t.match(output, /^reading costs -?\d+\.\d\d us \(/m)
})
