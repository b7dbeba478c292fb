/** How much passes between two waits, and how long a wait is: about 150 MiB/s. */
const BURST_BYTES = 1_048_576
const WAIT_MS = 5

/** Makes a reader or writer slow: slower than what it reads from or writes to, whatever that is. */
export class Pacer {
  #sinceWait = 0

  /** Waits now and then. */
  async passed(bytes: number): Promise<void> {
    this.#sinceWait += bytes
    if (this.#sinceWait < BURST_BYTES) return
    this.#sinceWait = 0
    await new Promise((resolve) => {
      setTimeout(resolve, WAIT_MS)
    })
  }
}
