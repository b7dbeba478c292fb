import t from 'tap'
import { ShareWatch, surplusOf } from '../src/connection-share.ts'
import { ControlBlock } from '../src/control-block.ts'

function load(
  connections: number,
  utilization: number,
): {
  connections: number
  utilization: number
} {
  return { connections, utilization }
}

t.test('a share is what all have, spread evenly', async (t) => {
  const idle = load(0, 0)
  t.equal(surplusOf(load(5, 1), []), 0, 'alone')
  t.equal(surplusOf(load(16, 0.49), [load(0, 0.4)]), 0, 'too little to do to gain by it')
  t.equal(surplusOf(load(16, 0.5), [load(0, 0.4)]), 4, 'half of what is over 8')
  t.equal(surplusOf(load(11, 0.8), [load(5, 0.8)]), 0, 'as far over as the hash may lead')
  t.equal(surplusOf(load(12, 0.8), [load(4, 0.8)]), 2)
  t.equal(surplusOf(load(2, 0.8), [load(0, 0.8), load(0, 0.8)]), 1, 'one at least')
  t.equal(surplusOf(load(1, 1), [idle, idle, idle]), 0, 'a single one is nothing to move')
})

t.test('a thread at its limit beside others that are not is to have half a share', async (t) => {
  t.equal(surplusOf(load(8, 0.95), [load(8, 0.6)]), 2)
  t.equal(surplusOf(load(8, 0.94), [load(8, 0.6)]), 0)
  t.equal(surplusOf(load(8, 0.95), [load(8, 0.66)]), 0, 'the others are not far from it')
  t.equal(surplusOf(load(6, 1), [load(10, 0.1)]), 0, 'no more than half')
})

t.test('a thread compares itself once a second with those that accept', async (t) => {
  const block = ControlBlock.create(4)
  const own = block.seat(0, 1000)
  for (let count = 0; count < 40; count++) own.tryAcquire()
  const other = block.seat(1, 1000)
  other.setUtilization(0.2)
  const leaving = block.seat(2, 1000)
  for (let count = 0; count < 100; count++) leaving.tryAcquire()
  block.setSeatPhase(0, 'accepting')
  block.setSeatPhase(1, 'accepting')
  block.setSeatPhase(2, 'draining')
  let utilization = 0.4
  const watch = new ShareWatch(block, own, () => utilization)
  watch.onTick(0)
  t.equal(watch.surplus, 0, 'nothing to gain')
  utilization = 0.9
  watch.onTick(999)
  t.equal(watch.surplus, 0, 'too early')
  watch.onTick(1000)
  t.equal(watch.surplus, 10, 'half of what is over 20: the one that leaves does not count')
  t.equal(block.seatUtilization(0), 0.9)
  watch.shed()
  t.equal(watch.surplus, 9)
  t.equal(block.read(0).connectionsShed, 1)
  utilization = 0.4
  watch.onTick(2000)
  t.equal(watch.surplus, 0)
})
