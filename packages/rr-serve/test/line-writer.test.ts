import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, existsSync, openSync, readFileSync, readSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { createWriterState, LineWriter, releaseTurn } from '../src/line-writer.ts'
import type { HammerData } from './support/log-hammer.ts'

const HAMMER_URL = new URL('./support/log-hammer.ts', import.meta.url)
const WORKERS = 4
const LINES = 500

/** Both ends of a pipe, in non-blocking mode as Node.js makes a standard stream that is a pipe. */
function openPipe(t: Test): { readFd: number; writeFd: number } {
  const path = `${t.testdir({})}/pipe`
  execFileSync('mkfifo', [path])
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writeFd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  return { readFd, writeFd }
}

/** What is in a pipe now; null when its writer has closed it and it is empty. */
function readAvailable(fd: number, maxBytes: number): string | null {
  const bytes = Buffer.alloc(maxBytes)
  try {
    const length = readSync(fd, bytes)
    return length === 0 ? null : bytes.toString('latin1', 0, length)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return ''
    throw error
  }
}

function startHammer(data: HammerData): Worker {
  return new Worker(HAMMER_URL, { workerData: data })
}

function checkHammered(t: Test, text: string): void {
  const next = new Map<number, number>()
  for (const line of text.trimEnd().split('\n')) {
    const { owner, index } = JSON.parse(line) as { owner: number; index: number }
    if (index !== (next.get(owner) ?? 0)) t.fail(`line ${index} of ${owner} is out of order`)
    next.set(owner, index + 1)
  }
  t.strictSame(
    [...next].sort(([a], [b]) => a - b),
    Array.from({ length: WORKERS }, (_, index) => [index + 1, LINES]),
    'every line, whole and in order',
  )
}

t.test('lines of several threads into a file', async (t) => {
  const path = `${t.testdir({})}/log`
  const fd = openSync(path, 'w')
  const state = createWriterState()
  const workers = Array.from({ length: WORKERS }, (_, index) =>
    startHammer({ fd, state, owner: index + 1, lines: LINES }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  closeSync(fd)
  checkHammered(t, readFileSync(path, 'latin1'))
})

t.test('lines of several threads into a pipe that is read in small pieces', async (t) => {
  const { readFd, writeFd } = openPipe(t)
  const state = createWriterState()
  const workers = Array.from({ length: WORKERS }, (_, index) =>
    startHammer({ fd: writeFd, state, owner: index + 1, lines: LINES }),
  )
  void Promise.all(workers.map((worker) => once(worker, 'exit'))).then(() => closeSync(writeFd))
  let text = ''
  for (let piece: string | null = ''; piece !== null; piece = readAvailable(readFd, 3000)) {
    text += piece
    await new Promise((resolve) => setImmediate(resolve))
  }
  checkHammered(t, text)
})

t.test('a writer with little patience keeps its lines in order, and flushes them', async (t) => {
  const { readFd, writeFd } = openPipe(t)
  const options = { fd: writeFd, state: createWriterState(), owner: 0, onGone: () => {} }
  const writer = new LineWriter({ ...options, patienceMs: 0 })
  const lines = Array.from({ length: 200 }, (_, index) => `${index} ${'x'.repeat(1000)}\n`)
  for (const line of lines) writer.write(line)
  writer.flush(0)
  let text = readAvailable(readFd, 200_000) ?? ''
  t.ok(text.length < 200_000, 'the pipe is full before the last line')
  for (let rounds = 0; text.length < lines.join('').length && rounds < 100; rounds++) {
    writer.flush(0)
    text += readAvailable(readFd, 200_000) ?? ''
  }
  t.equal(text, lines.join(''))
})

t.test('what was kept is written by itself once the reader reads', async (t) => {
  const { readFd, writeFd } = openPipe(t)
  const options = { fd: writeFd, state: createWriterState(), owner: 0, onGone: () => {} }
  const writer = new LineWriter({ ...options, patienceMs: 0 })
  for (let index = 0; index < 100; index++) writer.write(`${'x'.repeat(999)}\n`)
  let length = 0
  // The writer's timer does not keep the process: this immediate does.
  while (length < 100_000) {
    length += readAvailable(readFd, 10_000)?.length ?? 0
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(length, 100_000)
})

t.test('flush gives up on a reader that reads nothing', async (t) => {
  const { writeFd } = openPipe(t)
  const options = { fd: writeFd, state: createWriterState(), owner: 0, onGone: () => {} }
  const writer = new LineWriter({ ...options, patienceMs: 0 })
  for (let index = 0; index < 100; index++) writer.write(`${'x'.repeat(999)}\n`)
  const start = performance.now()
  writer.flush(50)
  t.ok(performance.now() - start >= 50)
})

t.test('a reader that has gone is reported once, by one writer', async (t) => {
  const { readFd, writeFd } = openPipe(t)
  closeSync(readFd)
  const state = createWriterState()
  const codes: unknown[] = []
  const onGone = (error: NodeJS.ErrnoException): void => void codes.push(error.code)
  const writers = [1, 2].map(
    (owner) => new LineWriter({ fd: writeFd, state, owner, patienceMs: Infinity, onGone }),
  )
  for (const writer of [...writers, ...writers]) writer.write('line\n')
  t.strictSame(codes, ['EPIPE'])
})

const skipFull = existsSync('/dev/full') ? false : 'no /dev/full on this system'
t.test('a full disk costs the line, not the log', { skip: skipFull }, async (t) => {
  const fd = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(fd))
  const state = createWriterState()
  const onGone = (): void => void t.fail('the log goes on')
  new LineWriter({ fd, state, owner: 1, patienceMs: Infinity, onGone }).write('line\n')
})

t.test('the turn of a thread that ended is given back', async (t) => {
  const { readFd, writeFd } = openPipe(t)
  const state = createWriterState()
  const hammer = startHammer({ fd: writeFd, state, owner: 7, lines: 1_000_000 })
  // Nobody reads, so the pipe fills up, and the thread ends while it waits in its turn.
  const onGone = (): void => {}
  const writer = new LineWriter({ fd: writeFd, state, owner: 1, patienceMs: 0, onGone })
  const words = new Int32Array(state)
  while (words[1] !== 7) await new Promise((resolve) => setImmediate(resolve))
  await hammer.terminate()
  releaseTurn(state, 1)
  releaseTurn(state, 7)
  while (readAvailable(readFd, 100_000) !== '');
  writer.write('after\n')
  writer.flush(0)
  t.equal(readAvailable(readFd, 100), 'after\n')
})
