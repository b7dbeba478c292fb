// What `rebalance` does over real connections. Spreads and latencies are printed, not judged: they
// are the machine's; judged is that connections move, that they do not without it, and that no
// request fails for it.

import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { serve } from '../src/serve.ts'
import type { Server } from '../src/server.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { until } from './support/until.ts'

t.setTimeout(120_000)

const CLIENTS = 12
const ANSWERS = 1500

/** A keep-alive client that connects anew, anywhere, when its server has closed. */
class Client {
  workerId = 0
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(port: number) {
    this.#port = port
  }

  /** @returns milliseconds to the end of the answer */
  ask(path: string): Promise<number> {
    const options = { host: '127.0.0.1', port: this.#port, path, agent: this.#agent }
    return new Promise((resolve, reject) => {
      const startMs = performance.now()
      get(options, (response) => {
        response.setEncoding('utf8')
        response.once('data', (text: string) => {
          this.workerId = Number(text)
        })
        response.once('end', () => resolve(performance.now() - startMs))
      }).once('error', reject)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Clients of which `onFirst` are connected to worker 1, the others to worker 2. */
async function placeClients(port: number, onFirst: number): Promise<Client[]> {
  const wanted = new Map([
    [1, onFirst],
    [2, CLIENTS - onFirst],
  ])
  const placed: Client[] = []
  while (placed.length < CLIENTS) {
    const client = new Client(port)
    await client.ask('/')
    const left = wanted.get(client.workerId) ?? 0
    wanted.set(client.workerId, left - 1)
    if (left > 0) placed.push(client)
    else client.close()
  }
  return placed
}

interface Scene {
  readonly onFirst: number
  /** Whether worker 1 is kept at its limit by something else than its clients. */
  readonly isOccupied: boolean
  readonly path: string
  readonly pauseMs: number
  /** Connections of worker 1 with which it is content. */
  readonly contentWith: number
}

const SCENES: Readonly<Record<string, Scene>> = {
  'a worker with more than its share, all busy': {
    onFirst: 10,
    isOccupied: false,
    path: '/?ms=2',
    pauseMs: 0,
    contentWith: 8,
  },
  'a worker at its limit with its share, the other at leisure': {
    onFirst: 6,
    isOccupied: true,
    path: '/',
    pauseMs: 10,
    contentWith: 4,
  },
}

const onFirst = (server: Server): number => server.info().workers[0]!.connections

async function play(t: Test, scene: Scene, rebalance: boolean): Promise<void> {
  const options = { host: '127.0.0.1', port: 0, workers: 2, rebalance, onEvent: () => {} }
  const server = await serve(fixtureUrl('uneven.ts'), options)
  const clients = await placeClients(server.port, scene.onFirst)
  await until(() => server.info().connections === CLIENTS, 'only the placed ones are open')
  const busy = clients.find(({ workerId }) => workerId === 1)!
  if (scene.isOccupied) await busy.ask('/occupy')
  let latencies: number[] = []
  let isOver = false
  const loops = clients.map(async (client) => {
    while (!isOver) {
      latencies.push(await client.ask(scene.path))
      if (scene.pauseMs > 0) await delay(scene.pauseMs)
    }
  })
  if (rebalance) {
    const isContent = (): boolean => onFirst(server) <= scene.contentWith
    await until(isContent, `${onFirst(server)} connections on worker 1`, 60_000)
  }
  latencies = []
  await until(() => latencies.length >= ANSWERS, 'answers', 60_000)
  const sorted = latencies.sort((a, b) => a - b)
  const p99Ms = sorted[Math.floor(sorted.length * 0.99)]!.toFixed(1)
  const spread = server.info().workers.map(({ connections }) => connections)
  t.comment(`rebalance ${rebalance}: connections ${spread.join(' and ')}, p99 ${p99Ms} ms`)
  isOver = true
  await Promise.all(loops)
  const { connectionsShed } = server.info()
  if (rebalance) t.ok(connectionsShed > 0, `${connectionsShed} were closed for it`)
  else t.strictSame([connectionsShed, spread[0]], [0, scene.onFirst])
  for (const client of clients) client.close()
  await server.stop()
}

for (const [title, scene] of Object.entries(SCENES)) {
  t.test(title, async (t) => {
    await t.test('without rebalance every connection stays', (t) => play(t, scene, false))
    await t.test('with it some move, and no request fails', (t) => play(t, scene, true))
  })
}
