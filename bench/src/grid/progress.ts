/** Time that a run takes besides load: server start and end, driver start and end. */
const RUN_OVERHEAD_SECONDS = 1.2

export interface StepTimes {
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** How long runs will take, before any has been made. */
export function estimateSeconds(runs: number, { seconds, warmUpSeconds }: StepTimes): number {
  return runs * (seconds + warmUpSeconds + RUN_OVERHEAD_SECONDS)
}

/** `2:05`, or `1:02:05` from an hour on. */
export function formatDuration(totalSeconds: number): string {
  const whole = Math.max(0, Math.round(totalSeconds))
  const [hours, minutes, seconds] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}

/** Counts steps and says how long the rest will take, by what the steps so far took. */
export class Progress {
  readonly #total: number
  readonly #estimatedSeconds: number
  readonly #write: (line: string) => void
  readonly #now: () => number
  readonly #startedAtMs: number
  #done = 0

  constructor(
    total: number,
    estimatedSeconds: number,
    write: (line: string) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#total = total
    this.#estimatedSeconds = estimatedSeconds
    this.#write = write
    this.#now = now
    this.#startedAtMs = now()
  }

  /** A step has ended; `steps` more than one when some are left out. */
  step(text: string, steps = 1): void {
    this.#done += steps
    const elapsedSeconds = (this.#now() - this.#startedAtMs) / 1000
    const left = this.#total - this.#done
    const perStep =
      elapsedSeconds > 0 ? elapsedSeconds / this.#done : this.#estimatedSeconds / this.#total
    const count = `${String(this.#done).padStart(String(this.#total).length)}/${this.#total}`
    const times = `${formatDuration(elapsedSeconds)} elapsed, about ${formatDuration(left * perStep)} left`
    this.#write(`[${count}  ${times}]  ${text}`)
  }
}
