import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import fs, {
  closeSync,
  constants,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { LineWriter } from '../src/line-writer.ts'
import { createWriterState, OutputTurn, releaseTurn, turnOwner } from '../src/output-turn.ts'
import { type HammerData, hammerLine } from './support/log-hammer.ts'

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

/** Fills a pipe but for `room` bytes, which must be a multiple of its page. */
function fillPipe(readFd: number, writeFd: number, room: number): void {
  const page = Buffer.alloc(4096, '-')
  try {
    for (;;) writeSync(writeFd, page)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
  }
  readSync(readFd, Buffer.alloc(room))
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
  fillPipe(readFd, writeFd, 8192)
  const state = createWriterState()
  // Nobody reads, so the thread ends within its first line, of 20 kB, while it has the turn.
  const hammer = startHammer({ fd: writeFd, state, owner: 7, lines: 1 })
  const onGone = (): void => {}
  const writer = new LineWriter({ fd: writeFd, state, owner: 1, patienceMs: 0, onGone })
  const turn = new OutputTurn(state, 1)
  while (!turn.isLineBroken) await new Promise((resolve) => setImmediate(resolve))
  await hammer.terminate()
  releaseTurn(state, 1)
  t.equal(turnOwner(state), 7, 'the turn of another is left to it')
  releaseTurn(state, 7)
  let before = ''
  for (let piece = ''; (piece = readAvailable(readFd, 100_000) ?? '') !== ''; ) before += piece
  writer.write('after\n')
  writer.flush(0)
  t.notOk(before.endsWith('\n'), 'it was killed within a line')
  t.equal(readAvailable(readFd, 100), '\nafter\n', 'which is no part of the next')
})

t.test('a line that was begun outlasts no patience, and nobody writes into it', async (t) => {
  const { readFd, writeFd } = openPipe(t)
  fillPipe(readFd, writeFd, 12_288)
  const state = createWriterState()
  const onGone = (): void => {}
  const writer = new LineWriter({ fd: writeFd, state, owner: 0, patienceMs: 20, onGone })
  const long = `${'a'.repeat(20_000)}\n`
  writer.write(long)
  t.ok(writer.hasKept, 'the line was begun, and the writer came back')
  writer.write('second\n')
  writer.flush(20)
  const hammer = startHammer({ fd: writeFd, state, owner: 1, lines: 1 })
  t.teardown(() => hammer.terminate())
  const ended = once(hammer, 'exit')
  let text = ''
  let isEnded = false
  void ended.then(() => (isEnded = true))
  while (!isEnded) {
    text += readAvailable(readFd, 4096)
    await new Promise((resolve) => setImmediate(resolve))
  }
  text += readAvailable(readFd, 200_000)
  t.notOk(writer.hasKept)
  const lines = text.replace(/^-+/, '').split('\n').sort()
  t.strictSame(lines, ['', long, 'second', hammerLine(1, 0)].map((line) => line.trimEnd()).sort())
})

t.test('what a full disk took of a line is no part of the next', async (t) => {
  const path = `${t.testdir({})}/log`
  const fd = openSync(path, 'w')
  const { writeSync: realWrite } = fs
  t.teardown(() => {
    restoreWrite()
    closeSync(fd)
  })
  const restoreWrite = (): void => {
    fs.writeSync = realWrite
    syncBuiltinESMExports()
  }
  let calls = 0
  fs.writeSync = ((to: number, bytes: Uint8Array): number => {
    if (calls++ === 0) return realWrite(to, bytes.subarray(0, 5))
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })
  }) as typeof fs.writeSync
  syncBuiltinESMExports()
  const onGone = (): void => void t.fail('the log goes on')
  const state = createWriterState()
  const writer = new LineWriter({ fd, state, owner: 1, patienceMs: Infinity, onGone })
  writer.write('first line\n')
  writer.write('lost\n')
  restoreWrite()
  writer.write('second line\n')
  writer.write('third line\n')
  t.equal(readFileSync(path, 'latin1'), 'first\nsecond line\nthird line\n')
})
