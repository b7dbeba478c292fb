import { isMainThread, workerData } from 'node:worker_threads'
import { LineWriter } from '../../src/line-writer.ts'

/** A worker thread that writes numbered lines of many lengths, some far over PIPE_BUF. */
export interface HammerData {
  readonly fd: number
  readonly state: SharedArrayBuffer
  readonly owner: number
  readonly lines: number
}

export function hammerLine(owner: number, index: number): string {
  const length = index % 7 === 0 ? 20_000 : index % 300
  return `${JSON.stringify({ owner, index, filling: String(owner).repeat(length) })}\n`
}

if (!isMainThread) hammer(workerData as HammerData)

function hammer({ fd, state, owner, lines }: HammerData): void {
  const writer = new LineWriter({ fd, state, owner, patienceMs: Infinity, onGone: () => {} })
  for (let index = 0; index < lines; index++) writer.write(hammerLine(owner, index))
}
