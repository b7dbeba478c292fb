/**
 * Streams 1 GiB up and down through one worker, with slow readers and slow writers, and tells by
 * how much the server's process grew. Ends with 1 when that is 64 MiB or more. Linux only.
 *
 *     node bench/src/memory-streaming.ts [--small]
 *
 * `--small` streams 256 MiB each.
 */
import { measureStreamingMemory } from './memory/streaming-memory.ts'
import { TRANSFERS } from './memory/transfers.ts'

const MAX_GROWTH_MIB = 64
const MIB = 1_048_576

const mebibytes = process.argv.includes('--small') ? 256 : 1024

console.log(`Node ${process.version}, one worker, ${mebibytes} MiB each`)
const growths = await measureStreamingMemory(TRANSFERS, mebibytes * MIB, (growth) => {
  const { name, idleMiB, baseMiB, peakMiB, growthMiB, seconds } = growth
  console.log(
    `${name}: grew by ${growthMiB.toFixed(1)} MiB, ` +
      `from ${baseMiB.toFixed(1)} to ${peakMiB.toFixed(1)} MiB at most, in ${seconds.toFixed(1)} s ` +
      `(${idleMiB.toFixed(1)} MiB when idle)`,
  )
})
const isOver = growths.some(({ growthMiB }) => growthMiB >= MAX_GROWTH_MIB)
console.log(isOver ? `FAILED: the bound is ${MAX_GROWTH_MIB} MiB` : `under ${MAX_GROWTH_MIB} MiB`)
process.exitCode = isOver ? 1 : 0
