import { existsSync } from 'node:fs'
import t from 'tap'
import { measureStreamingMemory } from '../../src/memory/streaming-memory.ts'
import { KEEPING, TRANSFERS } from '../../src/memory/transfers.ts'

const MIB = 1_048_576
const STREAMED_BYTES = 256 * MIB
/** A quarter of what is streamed: who keeps it is well over, who does not is well under. */
const MAX_GROWTH_MIB = 64

const skip = existsSync('/proc/self/clear_refs') ? false : 'needs the proc file system of Linux'

for (const transfer of TRANSFERS) {
  t.test(
    `streaming 256 MiB grows a worker by less than 64 MiB: ${transfer.name}`,
    { skip },
    async (t) => {
      const [growth] = await measureStreamingMemory([transfer], STREAMED_BYTES)
      t.ok(growth && growth.growthMiB < MAX_GROWTH_MIB, JSON.stringify(growth))
    },
  )
}

t.test('the measurement sees a handler that keeps what it is sent', { skip }, async (t) => {
  const [growth] = await measureStreamingMemory([KEEPING], STREAMED_BYTES)
  t.ok(growth && growth.growthMiB >= MAX_GROWTH_MIB, JSON.stringify(growth))
})
