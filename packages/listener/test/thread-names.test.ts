// Threads that serve have names in the system's own tools: `top -H`, `ps -L`, `perf`.

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { SERVER_OPTIONS } from '../src/server-options.ts'
import { serveTroubles } from './support/test-server.ts'

const skip = process.platform === 'linux' ? false : 'thread names are read from Linux’s /proc'

/** What the system calls the threads of this process. Threads may end while they are listed. */
function threadNames(): string[] {
  return readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trimEnd()]
    } catch {
      return []
    }
  })
}

t.test('each worker’s thread is named by its number', { skip }, async (t) => {
  const { server } = await serveTroubles(t, { workers: 2 })
  const named = (): string[] => threadNames().filter((name) => name.startsWith('rr worker'))
  t.same(named().sort(), ['rr worker 1', 'rr worker 2'])
  await server.stop()
  t.same(named(), [])
})

t.test('the longest name is one that Linux takes whole: 15 bytes', async (t) => {
  t.ok(`rr worker ${SERVER_OPTIONS.workers.maximum}`.length <= 15)
})
