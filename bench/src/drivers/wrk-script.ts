import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoadPlan, LoadShape } from '../model.ts'
import { encodeRequest, requestBytes } from './request-bytes.ts'

/** What is to be sent goes into the script as text; larger bodies are not for that. */
const MAX_BODY_BYTES = 1024 * 1024
/** Percentiles asked of wrk itself, which prints no more than four. */
const PERCENTILES = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 99.5, 99.9, 99.95, 99.99]

/** Why wrk and wrk2 cannot put on this load as it is meant, or null. */
export function wrkObstacle({ scenario }: LoadPlan): string | null {
  const { shape } = scenario
  if (shape.kind !== 'keep-alive' && shape.kind !== 'connection-per-request') {
    return `no ${shape.kind}`
  }
  for (const { request, answer } of scenario.requests) {
    // Its parser is not told about HEAD, and waits for the body that a 304 only announces.
    if (request.method === 'HEAD' || answer.status === 304) return 'no answers without their body'
    if (request.bodyMode === 'expect-continue') return 'no waiting for a 100'
    const bodyBytes = request.body?.byteLength ?? 0
    if (bodyBytes * pipeliningOf(shape) > MAX_BODY_BYTES) return 'no large requests'
  }
  return null
}

export function pipeliningOf(shape: LoadShape): number {
  return shape.kind === 'keep-alive' ? shape.pipelining : 1
}

/**
 * A script that makes wrk send exactly the bytes that the in-repo driver sends. One request, or one batch
 * of them, is given as the ready-made one, which wrk then sends without calling Lua again; a list
 * is walked through by `request`. At the end it prints what wrk counted, finer than wrk does.
 */
export function wrkScript({ scenario, url }: LoadPlan): string {
  const { host } = new URL(url)
  const closes = scenario.shape.kind === 'connection-per-request'
  const requests = scenario.requests.map(({ request }) =>
    requestBytes(encodeRequest(request, host, closes)),
  )
  const batches = batchesOf(requests, pipeliningOf(scenario.shape))
  const send =
    batches.length === 1
      ? 'wrk.format = function() return batches[1] end'
      : 'local at = 0\nrequest = function()\n  at = at % #batches + 1\n  return batches[at]\nend'
  return `local batches = {
${batches.map((batch) => `  ${luaString(batch)},`).join('\n')}
}
${send}
done = function(summary, latency, requests)
  for _, p in ipairs({${PERCENTILES.join(', ')}}) do
    io.write(string.format("percentile %g %d us\\n", p, latency:percentile(p)))
  end
  io.write(string.format("latency mean %.3f us max %d us\\n", latency.mean, latency.max))
  io.write(string.format("duration %d us\\n", summary.duration))
end
`
}

/** Batches of `size` requests, so many that the list comes out even. */
function batchesOf(requests: readonly Buffer[], size: number): Buffer[] {
  const count = requests.length / greatestCommonDivisor(requests.length, size)
  return Array.from({ length: count }, (_, batch) =>
    Buffer.concat(
      Array.from(
        { length: size },
        (_, at) => requests[(batch * size + at) % requests.length] as Buffer,
      ),
    ),
  )
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** Every byte but the plainest as a decimal escape, which is right for any byte. */
function luaString(bytes: Buffer): string {
  const text = bytes
    .toString('latin1')
    .replace(/[^ !#-[\]-~]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, '0')}`)
  return `"${text}"`
}

/** Writes a script for as long as `use` takes. */
export async function withScript<T>(script: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'rr-bench-'))
  try {
    const path = join(folder, 'requests.lua')
    await writeFile(path, script)
    return await use(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
