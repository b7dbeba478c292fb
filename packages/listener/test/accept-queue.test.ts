import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { acceptQueueAdvice, acceptQueueFate } from '../src/accept-queue.ts'

t.test('what becomes of an accept queue follows from what the system can do', async (t) => {
  const setting = join(t.testdir(), 'tcp_migrate_req')
  t.equal(acceptQueueFate(true, setting), 'kept')
  t.equal(acceptQueueFate(false, setting), 'reset', 'no such setting')
  writeFileSync(setting, '0\n')
  t.equal(acceptQueueFate(false, setting), 'reset')
  writeFileSync(setting, '1\n')
  t.equal(acceptQueueFate(false, setting), 'migrated')
})

t.test('advice is given only where something can be lost', async (t) => {
  t.match(acceptQueueAdvice('reset'), /tcp_migrate_req=1/)
  t.equal(acceptQueueAdvice('kept'), null)
  t.equal(acceptQueueAdvice('migrated'), null)
})
