import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { parseCpuTimes, watchDisturbance } from '../../src/grid/machine-load.ts'

t.test('busy and stolen time of all CPUs, without interrupts', async (t) => {
  const stat = 'cpu  100 20 30 4000 5 600 700 8 9 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 5\n'
  t.same(parseCpuTimes(stat), { busyMicroseconds: 1_500_000, stolenMicroseconds: 80_000 })
  t.throws(() => parseCpuTimes('intr 5'))
})

t.test('time of this process and its threads is not a disturbance', async (t) => {
  const stop = watchDisturbance()
  const busy = 'const end = Date.now() + 300; while (Date.now() < end);'
  await once(new Worker(busy, { eval: true }), 'exit')
  const { otherCpu, stolenCpu } = stop()
  // How busy the machine is otherwise is not for a test to say.
  t.ok(otherCpu >= 0 && Number.isFinite(otherCpu))
  t.ok(stolenCpu >= 0 && Number.isFinite(stolenCpu))
})
