import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { kernelConnections } from './kernel-sockets.ts'
import { findProgram } from './programs.ts'
import { replaced } from './replaced.ts'
import type { Balancer, Upstreams } from './rolling-restart.ts'
import type { RrInstance } from './rr-instance.ts'
import { ServedProcess } from './served-process.ts'
import { until } from './until.ts'

const DOCUMENTED = new URL('../../docs/deploy/nginx/nginx.conf', import.meta.url)

/** Folders that nginx writes to; the compiled-in ones need not be ours to write to. */
const TEMP_PATHS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** nginx with the documented configuration, on loopback, without TLS. */
export class Nginx implements Balancer {
  port = 0
  readonly #folder = mkdtempSync(join(tmpdir(), 'rr-nginx-'))
  #process: ServedProcess | null = null

  async start(upstreams: Upstreams): Promise<void> {
    this.port = await freePort()
    const file = join(this.#folder, 'nginx.conf')
    writeFileSync(file, this.#configuration(upstreams))
    const errorLog = join(this.#folder, 'error.log')
    const args = ['-p', this.#folder, '-c', file, '-e', errorLog, '-g', 'daemon off;']
    const running = new ServedProcess(findProgram('nginx') ?? 'nginx', args)
    this.#process = running
    let hasEnded = false
    void running.ended.then(() => {
      hasEnded = true
    })
    await until('nginx listens', () => {
      if (hasEnded) throw new Error(`nginx ended:\n${running.output}`)
      return isListening(this.port)
    })
  }

  async beforeStop(): Promise<void> {}

  /** nginx itself does not say whom it asks; the instance's connections do. */
  async afterStart(_: number, { port, pid }: RrInstance): Promise<void> {
    await until('nginx asks the instance', () => kernelConnections(port, pid ?? 0) > 0, 60_000)
  }

  async stop(): Promise<void> {
    this.#process?.child.kill('SIGTERM')
    await this.#process?.ended
    rmSync(this.#folder, { recursive: true })
  }

  #configuration([first, second]: Upstreams): string {
    const tempPaths = TEMP_PATHS.map((name) => `${name}_temp_path ${this.#folder}/${name};`)
    // Files in a folder of this user's: a worker of another user could not write there.
    const user = process.getuid?.() === 0 ? 'user root;\n' : ''
    const documented = readFileSync(DOCUMENTED, 'utf8')
    const redirecting = /\n {4}server \{\n {8}listen 80;[^}]*\}\n/.exec(documented)?.[0] ?? 'none'
    const tls = /\n {8}ssl_[\s\S]*?(?=\n\n)/.exec(documented)?.[0] ?? 'none'
    return (
      user +
      replaced(documented, {
        [redirecting]: '',
        [tls]: '',
        'listen 443 ssl http2;': `listen 127.0.0.1:${this.port};`,
        'worker_processes auto;': 'worker_processes 1;',
        'worker_rlimit_nofile 40000;\n': '',
        'worker_connections 16000;': 'worker_connections 1000;',
        'http {\n': `http {\n${tempPaths.join('\n')}\n`,
        '/run/nginx.pid': join(this.#folder, 'nginx.pid'),
        '/var/log/nginx/error.log': join(this.#folder, 'error.log'),
        '/var/log/nginx/access.log': join(this.#folder, 'access.log'),
        '10.0.0.11:8080': first.authority,
        '10.0.0.12:8080': second.authority,
      })
    )
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
