/**
 * How long repeats of one signal count as one wish. A terminal's Ctrl-C reaches every process of
 * the foreground group, and a package manager or start script above rr-serve then passes on its
 * own copy, some milliseconds later. Nobody presses twice within this time.
 */
const BURST_MS = 100

/** What a signal asks for. */
export interface StopRequests {
  /** The first signal: finish and stop. */
  readonly onStop: (signal: NodeJS.Signals) => void
  /** A further one: stop now. */
  readonly onForce: (signal: NodeJS.Signals) => void
}

/** Where signals come from; `process` outside of tests. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown
}

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']

/**
 * Listens for the signals that stop a server. With a listener of its own the process also obeys
 * them as PID 1 of a container, where the kernel otherwise ignores them. SIGHUP keeps its default,
 * to end the process, because the terminal that it comes from has gone.
 */
export function watchStopSignals(
  requests: StopRequests,
  source: SignalSource = process,
  nowMs: () => number = () => performance.now(),
): void {
  let stopping = false
  const lastAt = new Map<NodeJS.Signals, number>()
  for (const signal of STOP_SIGNALS) {
    source.on(signal, () => {
      const now = nowMs()
      const isRepeat = now - (lastAt.get(signal) ?? Number.NEGATIVE_INFINITY) < BURST_MS
      lastAt.set(signal, now)
      if (isRepeat) return
      if (stopping) requests.onForce(signal)
      else requests.onStop(signal)
      stopping = true
    })
  }
}
