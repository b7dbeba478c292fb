import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { fixtureUrl } from './support/fixture-url.ts'

const program = fileURLToPath(fixtureUrl('hold-port.ts'))

/**
 * On Linux every address under 127/8 is this machine's: one that no other process is likely to use
 * keeps a port that was found free from being taken meanwhile. Elsewhere there is only one.
 */
const host =
  process.platform === 'linux'
    ? `127.${100 + (process.pid % 100)}.${(process.pid >> 8) & 255}.${(process.pid & 127) + 1}`
    : '127.0.0.1'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

t.test('two servers that start at once never share a port', async (t) => {
  for (let round = 0; round < 4; round++) {
    const port = await freePort()
    const children = [1, 2].map(() => fork(program, [host, String(port)]))
    const outcomes = await Promise.all(
      children.map(async (child) => (await once(child, 'message'))[0] as string),
    )
    const exits = children.map((child) => once(child, 'exit'))
    for (const child of children) child.send('stop')
    await Promise.all(exits)
    t.ok(outcomes.includes('RR_BIND_FAILED'), outcomes.join(', '))
    t.ok(outcomes.every((outcome) => /listening|RR_BIND_FAILED/.test(outcome)))
  }
})
