import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { until } from './until.ts'

/** Where a Chromium is, or null. */
export function findChromium(): string | null {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      if (folder !== '' && existsSync(join(folder, name))) return join(folder, name)
    }
  }
  return null
}

type Json = Record<string, unknown>

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: Json
  readonly result?: Json
  readonly error?: { readonly message: string }
}

/** A headless Chromium with one page, driven by its DevTools protocol over a plain WebSocket. */
export class Chromium {
  /** URLs of all requests of the page. */
  readonly requests: string[] = []
  /** What the page wrote to its console, errors nobody caught, and what the browser complained of. */
  readonly complaints: string[] = []
  readonly #browser: ChildProcess
  readonly #socket: WebSocket
  readonly #profile: string
  readonly #waiting = new Map<number, PromiseWithResolvers<Json>>()
  #session: string | null = null
  #nextId = 1

  private constructor(browser: ChildProcess, socket: WebSocket, profile: string) {
    this.#browser = browser
    this.#socket = socket
    this.#profile = profile
    socket.addEventListener('message', ({ data }) => this.#onMessage(JSON.parse(String(data))))
  }

  static async start(path: string): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), 'rr-chromium-'))
    // Root gets no sandbox of Chromium's; this only ever shows pages of the test itself.
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    const flags = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`]
    const quiet = [
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
    ]
    const browser = spawn(path, [...flags, ...quiet, ...sandbox, '--disable-gpu', 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let url = ''
    for await (const line of createInterface({ input: browser.stderr! })) {
      url = /^DevTools listening on (ws:.+)$/.exec(line)?.[1] ?? ''
      if (url !== '') break
    }
    browser.stderr!.resume()
    const socket = new WebSocket(url)
    await once(socket, 'open')
    const chromium = new Chromium(browser, socket, profile)
    const { targetId } = await chromium.send('Target.createTarget', { url: 'about:blank' })
    const attached = await chromium.send('Target.attachToTarget', { targetId, flatten: true })
    chromium.#session = String(attached['sessionId'])
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) {
      await chromium.send(`${domain}.enable`)
    }
    return chromium
  }

  send(method: string, params: Json = {}): Promise<Json> {
    const id = this.#nextId++
    const waiting = Promise.withResolvers<Json>()
    this.#waiting.set(id, waiting)
    const session = this.#session === null ? {} : { sessionId: this.#session }
    this.#socket.send(JSON.stringify({ id, method, params, ...session }))
    return waiting.promise
  }

  async open(url: string): Promise<void> {
    await this.send('Page.navigate', { url })
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return (result as { value?: unknown }).value
  }

  /** Waits until an expression is true in the page. */
  async wait(expression: string): Promise<void> {
    let isTrue = false
    let isAsking = false
    await until(
      () => {
        if (!isAsking) {
          isAsking = true
          void this.evaluate(expression)
            .catch(() => false)
            .then((value) => {
              isTrue = value === true
              isAsking = false
            })
        }
        return isTrue
      },
      expression,
      30_000,
    )
  }

  async close(): Promise<void> {
    const ended = once(this.#browser, 'exit')
    this.#socket.close()
    this.#browser.kill()
    await ended
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 })
  }

  #onMessage({ id, method, params = {}, result = {}, error }: Reply): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(result)
      else waiting?.reject(new Error(error.message))
      return
    }
    if (method === 'Network.requestWillBeSent') {
      this.requests.push((params['request'] as { url: string }).url)
    } else if (method === 'Runtime.consoleAPICalled' || method === 'Runtime.exceptionThrown') {
      this.complaints.push(JSON.stringify(params))
    } else if (method === 'Log.entryAdded') {
      this.complaints.push(JSON.stringify(params['entry']))
    }
  }
}
