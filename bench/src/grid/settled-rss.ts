import { setTimeout as delay } from 'node:timers/promises'
import { sampleProcessTree } from './process-tree.ts'

const INTERVAL_MS = 500
/** As many equal samples as this, with the tolerance below, are a settled figure. */
const SAMPLES = 5
const TOLERANCE = 0.002
const LONGEST_MS = 20_000

/** Resident memory of a process tree, in bytes, once it does not change any more or after 20 s. */
export async function settledRss(pid: number): Promise<number> {
  const samples: number[] = []
  for (let waited = 0; ; waited += INTERVAL_MS) {
    samples.push(sampleProcessTree(pid).rssBytes)
    const last = samples.slice(-SAMPLES)
    const largest = Math.max(...last)
    const isSteady = last.length === SAMPLES && largest - Math.min(...last) <= largest * TOLERANCE
    if (isSteady || waited >= LONGEST_MS) return samples.at(-1) as number
    await delay(INTERVAL_MS)
  }
}
