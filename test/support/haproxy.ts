import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { findProgram } from './programs.ts'
import { replaced } from './replaced.ts'
import type { Balancer, Upstreams } from './rolling-restart.ts'
import { ServedProcess } from './served-process.ts'
import { until } from './until.ts'

const DOCUMENTED = new URL('../../docs/deploy/haproxy/', import.meta.url)

export interface HaproxyOptions {
  /** In docs/deploy/haproxy. */
  readonly file: 'haproxy.cfg' | 'proxy-protocol.cfg'
  /** Where it asks `/readyz`; without it a route of the application is asked. */
  readonly adminPort?: number
  /** Takes an instance out by HAProxy's own command before it is stopped, and in again after. */
  readonly isTold: boolean
}

/** HAProxy with a documented configuration, on loopback, without TLS. */
export class Haproxy implements Balancer {
  port = 0
  readonly #options: HaproxyOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'rr-haproxy-'))
  readonly #statsSocket = join(this.#folder, 'stats.sock')
  #process: ServedProcess | null = null

  constructor(options: HaproxyOptions) {
    this.#options = options
  }

  async start(upstreams: Upstreams): Promise<void> {
    this.port = await freePort()
    const file = join(this.#folder, 'haproxy.cfg')
    writeFileSync(file, this.#configuration(upstreams))
    const running = new ServedProcess(findProgram('haproxy') ?? 'haproxy', ['-db', '-f', file])
    this.#process = running
    let hasEnded = false
    void running.ended.then(() => {
      hasEnded = true
    })
    await until('HAProxy answers', async () => {
      if (hasEnded) throw new Error(`HAProxy ended:\n${running.output}`)
      return (await this.#ask('show info')).includes('Uptime')
    })
    await Promise.all([this.#untilUp(0), this.#untilUp(1)])
  }

  async beforeStop(instance: number): Promise<void> {
    if (!this.#options.isTold) return
    const server = `rr/rr${instance + 1}`
    await this.#ask(`set server ${server} state drain`)
    const isIdle = async (): Promise<boolean> => (await this.#stat(instance, 'scur')) === '0'
    await until(`${server} has no request of HAProxy`, isIdle, 60_000)
  }

  async afterStart(instance: number): Promise<void> {
    const server = `rr/rr${instance + 1}`
    if (this.#options.isTold) await this.#ask(`set server ${server} state ready`)
    await this.#untilUp(instance)
  }

  async stop(): Promise<void> {
    this.#process?.child.kill('SIGKILL')
    await this.#process?.ended
    rmSync(this.#folder, { recursive: true })
  }

  /** Up by a check: at first HAProxy takes every server for up. */
  async #untilUp(instance: number): Promise<void> {
    const isUp = async (): Promise<boolean> =>
      (await this.#stat(instance, 'status')) === 'UP' &&
      (await this.#stat(instance, 'check_status')) === 'L7OK'
    await until(`HAProxy sees rr${instance + 1} up`, isUp, 60_000)
  }

  #configuration([first, second]: Upstreams): string {
    const { file, adminPort } = this.#options
    const check: Record<string, string> =
      adminPort === undefined
        ? { '/readyz': '/health', 'check port 9090': 'check' }
        : { 'check port 9090': `check port ${adminPort}` }
    const tls: Record<string, string> = {
      '    bind :443 ssl crt /etc/haproxy/certs/ alpn h2,http/1.1\n': '',
      '    http-request redirect scheme https code 308 unless { ssl_fc }\n': '',
    }
    return replaced(readFileSync(new URL(file, DOCUMENTED), 'utf8'), {
      ...check,
      ...(file === 'haproxy.cfg' ? tls : {}),
      '/run/haproxy/admin.sock': this.#statsSocket,
      // More than the test needs descriptors for would not start everywhere.
      'maxconn 20000': 'maxconn 1000',
      'bind :80\n': `bind 127.0.0.1:${this.port}\n`,
      '10.0.0.11:8080': first.authority,
      '10.0.0.12:8080': second.authority,
    })
  }

  /** A column of `show stat`. */
  async #stat(instance: number, column: string): Promise<string | undefined> {
    const [head = '', ...rows] = (await this.#ask('show stat')).trim().split('\n')
    const names = head.replace('# ', '').split(',')
    const cells = rows.map((row) => row.split(','))
    const row = cells.find((cell) => cell[names.indexOf('svname')] === `rr${instance + 1}`)
    return row?.[names.indexOf(column)]
  }

  /** Resolves with what a command is answered, or with nothing while nobody listens. */
  #ask(command: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = ''
      const socket = connect(this.#statsSocket, () => socket.write(`${command}\n`))
      socket.setEncoding('utf8').on('data', (text: string) => {
        answer += text
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(answer))
    })
  }
}
