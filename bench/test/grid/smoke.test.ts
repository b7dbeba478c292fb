import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { sampleProcessTree } from '../../src/grid/process-tree.ts'
import { readResultFile } from '../../src/grid/result-file.ts'
import { resultRows } from '../../src/report/result-rows.ts'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

function startBench(...parameters: string[]): ChildProcess {
  return spawn(process.execPath, [CLI, ...parameters], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(child, 'close')
  return text
}

t.test('one second of the grid with real servers', async (t) => {
  const file = join(t.testdir({}), 'smoke.json')
  const parameters = '--scenarios hello --servers rr,node-http --rounds 1 --seconds 1 --warm-up 0'
  const child = startBench(...parameters.split(' '), '--no-rates', '--out', file)
  const output = await outputOf(child)
  t.equal(child.exitCode, 0, output)
  t.match(output, /\[2\/2 .* elapsed, about 0:00 left\] {2}hello {2}node-http {2}peak, round 1:/)

  const result = readResultFile(file)
  t.equal(result.isPartial, false)
  t.same(
    result.cells.map(({ server, state }) => [server, state]),
    [
      ['rr', 'measured'],
      ['node-http', 'measured'],
    ],
  )
  const rows = resultRows(result)
  t.same(
    rows.map(({ server }) => server),
    ['rr', 'node-http'],
  )
  for (const row of rows) {
    t.same(row.failures, [])
    t.equal(row.errors, 0)
    t.ok((row.requestsPerSecond?.median ?? 0) > 0)
    t.ok((row.cpuMicrosecondsPerRequest?.median ?? 0) > 0)
    t.ok((row.peakRssBytes?.median ?? 0) > 1024 * 1024)
  }
})

t.test('an interruption ends the servers and leaves a partial file', async (t) => {
  const file = join(t.testdir({}), 'partial.json')
  const parameters = '--scenarios hello --servers node-http --rounds 2 --seconds 1 --warm-up 0'
  const child = startBench(...parameters.split(' '), '--no-rates', '--out', file)
  const closed = once(child, 'close')
  if (child.stdout === null || child.pid === undefined) throw new Error('no process')
  let started: ReturnType<typeof sampleProcessTree>['members'] = []
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('round 1:')) continue
    // The first run is done; whatever runs now belongs to the second one.
    started = sampleProcessTree(child.pid).members
    child.kill('SIGINT')
  }
  await closed
  t.equal(child.exitCode, 130)
  t.equal(existsSync(file), true)
  const result = readResultFile(file)
  t.equal(result.isPartial, true)
  t.equal(result.runs.length, 1)
  t.match(result.runs[0], { round: 1, failure: null })
  const left = sampleProcessTree(child.pid, started)
  t.equal(left.peakRssBytes, 0, 'nothing is left but, at most, zombies')
})
