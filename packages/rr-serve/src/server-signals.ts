/**
 * How long repeats of one signal count as one wish. A terminal's Ctrl-C reaches every process of
 * the foreground group, and a package manager or start script above rr-serve then passes on its
 * own copy, some milliseconds later. Nobody presses twice within this time.
 */
const BURST_MS = 100

/** What a signal asks for. */
export interface SignalRequests {
  /** The first signal: finish and stop. */
  readonly onStop: (signal: NodeJS.Signals) => void
  /** A further one: stop now. */
  readonly onForce: (signal: NodeJS.Signals) => void
  /** SIGHUP, at any time: new code. */
  readonly onReload: (signal: NodeJS.Signals) => void
}

/** Where signals come from; `process` outside of tests. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown
}

const RELOAD_SIGNAL = 'SIGHUP'
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', RELOAD_SIGNAL]

/**
 * Listens for the signals that stop or reload a server, from its construction on; what comes before
 * somebody obeys is kept. With a listener of its own the process also obeys them as PID 1 of a
 * container, where the kernel otherwise ignores them.
 *
 * The command constructs it before it loads all else, so this file imports nothing.
 */
export class ServerSignals {
  readonly #nowMs: () => number
  /** When the latest wish began, by its signal. */
  readonly #begunAt = new Map<NodeJS.Signals, number>()
  readonly #kept: NodeJS.Signals[] = []
  #requests: SignalRequests | null = null
  #isStopping = false

  constructor(source: SignalSource = process, nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
    for (const signal of SIGNALS) source.on(signal, () => this.#onSignal(signal))
  }

  /** From now on wishes go to `requests`, beginning at once with those that came before. */
  obey(requests: SignalRequests): void {
    this.#requests = requests
    for (const signal of this.#kept.splice(0)) this.#tell(requests, signal)
  }

  #onSignal(signal: NodeJS.Signals): void {
    const now = this.#nowMs()
    // From the first of the burst: repeats that never pause are not one wish for ever.
    if (now - (this.#begunAt.get(signal) ?? Number.NEGATIVE_INFINITY) < BURST_MS) return
    this.#begunAt.set(signal, now)
    if (this.#requests === null) this.#kept.push(signal)
    else this.#tell(this.#requests, signal)
  }

  #tell({ onStop, onForce, onReload }: SignalRequests, signal: NodeJS.Signals): void {
    if (signal === RELOAD_SIGNAL) {
      onReload(signal)
      return
    }
    if (this.#isStopping) onForce(signal)
    else onStop(signal)
    this.#isStopping = true
  }
}
