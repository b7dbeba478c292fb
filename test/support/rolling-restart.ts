import { freePort } from './free-port.ts'
import { LossClients } from './loss-clients.ts'
import type { LossRequest } from './loss-connection.ts'
import type { LossReport, Round } from './loss-scenarios.ts'
import { tallySince } from './loss-tally.ts'
import { RrInstance } from './rr-instance.ts'
import { until } from './until.ts'

export type Upstreams = readonly [RrInstance, RrInstance]

/** A program in front of two instances. */
export interface Balancer {
  /** Its own, once started. */
  readonly port: number
  start(upstreams: Upstreams): Promise<void>
  /** Resolves when the instance may be stopped. */
  beforeStop(instance: number): Promise<void>
  /** Resolves when the balancer uses the instance that has been started again. */
  afterStart(instance: number, process: RrInstance): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

export interface RestartPlan {
  readonly requests: readonly LossRequest[]
  readonly connections: number
  /** How often both instances are restarted. */
  readonly rounds: number
  /** Answers awaited between two steps. */
  readonly answersBetween: number
  /** More arguments of the command. */
  readonly args?: readonly string[]
  /** Port of both instances' admin server, on their own addresses; none without it. */
  readonly adminPort?: number
  /** The clients' own address. */
  readonly localAddress?: string
}

export interface RestartReport extends LossReport {
  /** Of each stop. */
  readonly exitCodes: readonly (number | null)[]
}

/** Restarts both instances behind a balancer, one after the other, under load. */
export async function rollingRestart(
  balancer: Balancer,
  plan: RestartPlan,
): Promise<RestartReport> {
  const newInstance = async (host: string): Promise<RrInstance> => {
    const admin = ['--admin-port', `${plan.adminPort}`, '--admin-host', host]
    const args = [...(plan.adminPort === undefined ? [] : admin), ...(plan.args ?? [])]
    return new RrInstance({ host, port: await freePort(), args })
  }
  // Two addresses, as two machines have: their admin servers can have the same port.
  const instances = [await newInstance('127.0.0.1'), await newInstance('127.0.0.2')] as const
  const rounds: Round[] = []
  const exitCodes: (number | null)[] = []
  try {
    await Promise.all(instances.map((instance) => instance.start()))
    await balancer.start(instances)
    const { answersBetween } = plan
    const clients = new LossClients({ ...plan, port: balancer.port })
    clients.start()
    for (let round = 0; round < plan.rounds; round++) {
      const before = { ...clients.tally }
      for (const [n, instance] of instances.entries()) {
        await clients.answered(answersBetween)
        await balancer.beforeStop(n)
        exitCodes.push(await instance.stop())
        await clients.answered(answersBetween)
        await instance.start()
        await balancer.afterStart(n, instance)
      }
      await clients.answered(answersBetween)
      const tally = tallySince(before, clients.tally)
      rounds.push({ tally, connectionsLost: 0, requestsLost: 0 })
    }
    clients.pause()
    await until('every request has ended', () => !clients.isBusy, 60_000)
    clients.end()
    return { tally: clients.tally, details: clients.details, exitCodes, rounds }
  } finally {
    await Promise.all([balancer.stop(), ...instances.map((instance) => instance.stop())])
  }
}
