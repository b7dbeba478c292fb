import { type Server, type ServerEvent, serve } from '@rr/listener'
import { freePort } from './free-port.ts'
import { kernelConnections } from './kernel-sockets.ts'
import { LossClients } from './loss-clients.ts'
import { LOSS_REQUESTS } from './loss-requests.ts'
import { emptyTally, type LossTally, tallySince } from './loss-tally.ts'
import { RrInstance } from './rr-instance.ts'
import { until } from './until.ts'

const APP = new URL('../fixtures/loss-app.ts', import.meta.url)

/** How the clients ask. */
export interface Pace {
  readonly connections: number
  /** Undefined asks as soon as it is answered. */
  readonly perSecond: number | undefined
  /** Answers awaited before, between and after what is done to the server. */
  readonly answersBetween: number
}

/** What one round lost, and what the server says that it lost. */
export interface Round {
  readonly tally: LossTally
  readonly connectionsLost: number
  readonly requestsLost: number
}

export interface LossReport {
  readonly rounds: readonly Round[]
  readonly tally: LossTally
  /** Answers of a kind and how often, for those that failed. */
  readonly details: ReadonlyMap<string, number>
}

type ExitEvent = Extract<ServerEvent, { type: 'worker-exited' }>

/** A server in this process, with clients that ask all the time. */
class Scene {
  readonly server: Server
  readonly clients: LossClients
  readonly #events: ServerEvent[]
  readonly #pace: Pace

  private constructor(server: Server, events: ServerEvent[], pace: Pace) {
    this.server = server
    this.#events = events
    this.#pace = pace
    this.clients = new LossClients({ ...pace, port: server.port, requests: LOSS_REQUESTS })
  }

  static async open(workers: number, pace: Pace): Promise<Scene> {
    const events: ServerEvent[] = []
    const server = await serve(APP, {
      host: '127.0.0.1',
      port: 0,
      workers,
      onEvent: (event) => void events.push(event),
    })
    const scene = new Scene(server, events, pace)
    scene.clients.start()
    await scene.load()
    return scene
  }

  get exits(): readonly ExitEvent[] {
    return this.#events.filter((event) => event.type === 'worker-exited')
  }

  /** Lets the clients ask for a while. */
  load(): Promise<void> {
    return this.clients.answered(this.#pace.answersBetween)
  }

  /** Workers that listen for the nth time in all. */
  listening(times: number): Promise<void> {
    const count = (): number =>
      this.#events.filter(({ type }) => type === 'worker-listening').length
    return until(`a worker listens, ${times} in all`, () => count() >= times, 60_000)
  }

  /**
   * Stops the clients in between two requests, with their connections open, and compares what the
   * server counts with the sockets that the process has: rejects when they do not become equal.
   */
  async checkSlots(): Promise<void> {
    const { clients, server } = this
    clients.pause()
    await until('every request has ended', () => !clients.isBusy, 60_000)
    let seen = ''
    const isExact = (): boolean => {
      const kernel = kernelConnections(server.port)
      const { connections, inFlight } = server.info()
      seen = `${connections} counted, ${kernel} sockets, ${clients.open} clients, ${inFlight} in flight`
      return connections === kernel && connections === clients.open && inFlight === 0
    }
    await until('counts', isExact).catch(() => Promise.reject(new Error(`slots differ: ${seen}`)))
    clients.resume()
  }

  async close(): Promise<void> {
    this.clients.pause()
    await until('every request has ended', () => !this.clients.isBusy, 60_000)
    this.clients.end()
    await this.server.stop()
  }

  /** Does something to the server, again and again, and tells what each time cost. */
  async rounds(count: number, change: (round: number) => Promise<void>): Promise<LossReport> {
    const rounds: Round[] = []
    try {
      for (let round = 1; round <= count; round++) {
        const before = { ...this.clients.tally }
        const exitsBefore = this.exits.length
        await change(round)
        await this.load()
        await this.checkSlots()
        const exits = this.exits.slice(exitsBefore)
        rounds.push({
          tally: tallySince(before, this.clients.tally),
          connectionsLost: exits.reduce((sum, exit) => sum + exit.connectionsLost, 0),
          requestsLost: exits.reduce((sum, exit) => sum + exit.requestsLost, 0),
        })
      }
    } finally {
      await this.close()
    }
    return { rounds, tally: this.clients.tally, details: this.clients.details }
  }
}

/** Replaces all workers by `reload()`, one after the other, again and again. */
export async function reloadWorkers(count: number, pace: Pace): Promise<LossReport> {
  const scene = await Scene.open(2, pace)
  return scene.rounds(count, async () => {
    const { replaced, remaining } = await scene.server.reload({ timeoutMs: 30_000 })
    if (replaced !== 2 || remaining !== 0) {
      throw new Error(`reload: ${replaced} workers replaced, ${remaining} connections cut`)
    }
  })
}

/**
 * A worker that fails for the fifth time in a row is started again after more than a second, and what
 * waits in its queue is given up meanwhile: that is a loop of crashes, and not what is measured.
 */
const KILLS_OF_A_SERVER = 4

/** Ends one worker after the other by an error that nobody catches. */
export async function killWorkers(count: number, pace: Pace): Promise<LossReport> {
  const workers = 2
  const reports: LossReport[] = []
  for (let left = count; left > 0; left -= KILLS_OF_A_SERVER) {
    const scene = await Scene.open(workers, pace)
    const report = await scene.rounds(Math.min(left, KILLS_OF_A_SERVER), async (round) => {
      await fetch(`${scene.server.url}/crash`, { method: 'POST' }).catch(() => {
        // The worker went before its answer had left.
      })
      await scene.listening(workers + round)
    })
    reports.push(report)
  }
  return sumReports(reports)
}

function sumReports(reports: readonly LossReport[]): LossReport {
  const tally = emptyTally()
  const details = new Map<string, number>()
  for (const report of reports) {
    for (const kind of Object.keys(tally) as (keyof LossTally)[]) tally[kind] += report.tally[kind]
    for (const [text, n] of report.details) details.set(text, (details.get(text) ?? 0) + n)
  }
  return { tally, details, rounds: reports.flatMap(({ rounds }) => rounds) }
}

export interface DrainReport extends LossReport {
  readonly isDrained: boolean
  /** Connections that the server accepted and that were closed without any answer. */
  readonly unanswered: number
}

/** Drains a server under load, from within its process. */
export async function drainServer(pace: Pace): Promise<DrainReport> {
  const scene = await Scene.open(2, pace)
  scene.clients.expectRefusals()
  const { drained: isDrained } = await scene.server.drain({ timeoutMs: 30_000 })
  await until('every client has been refused', () => scene.clients.open === 0)
  const { connections, inFlight, connectionsAccepted } = scene.server.info()
  const unanswered = connectionsAccepted - scene.clients.connectionsAnswered
  const sockets = kernelConnections(scene.server.port)
  if (connections + inFlight + sockets > 0) {
    throw new Error(`left: ${connections} counted, ${inFlight} in flight, ${sockets} sockets`)
  }
  const { tally, details } = scene.clients
  return {
    isDrained,
    unanswered,
    tally,
    details,
    rounds: [{ tally, connectionsLost: 0, requestsLost: 0 }],
  }
}

/** SIGTERM to the command under load. */
export async function stopCommand(
  count: number,
  pace: Pace,
): Promise<LossReport & { exitCodes: readonly (number | null)[] }> {
  const reports: LossReport[] = []
  const exitCodes: (number | null)[] = []
  for (let round = 0; round < count; round++) {
    const instance = new RrInstance({ port: await freePort() })
    await instance.start()
    const clients = new LossClients({ ...pace, port: instance.port, requests: LOSS_REQUESTS })
    clients.start()
    await clients.answered(pace.answersBetween)
    clients.expectRefusals()
    exitCodes.push(await instance.stop())
    await until('every client has been refused', () => clients.open === 0)
    const { tally, details } = clients
    reports.push({ tally, details, rounds: [{ tally, connectionsLost: 0, requestsLost: 0 }] })
  }
  return { ...sumReports(reports), exitCodes }
}
