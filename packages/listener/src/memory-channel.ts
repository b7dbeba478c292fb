import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { RrError, type SharedMemoryProvider, type SharedMemoryStore } from '@rr/core'
import type { MemoryEnd, MemoryReply, MemoryRequest } from './messages.ts'

/** The main thread only looks a name up, but may be kept from it by a program that embeds a server. */
const ANSWER_TIMEOUT_MS = 10_000

/** The supervisor's side: answers one worker from the store, and never waits for it. */
export function openMemoryChannel(store: SharedMemoryStore): {
  readonly host: MessagePort
  readonly end: MemoryEnd
} {
  const { port1, port2 } = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  port1.on('message', ({ id, name, bytes }: MemoryRequest) => {
    port1.postMessage(answer(store, id, name, bytes))
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
  })
  // A worker keeps the process alive, or nothing does.
  port1.unref()
  return { host: port1, end: { port: port2, signal: signal.buffer as SharedArrayBuffer } }
}

function answer(store: SharedMemoryStore, id: number, name: string, bytes: number): MemoryReply {
  try {
    return { id, block: store.get(name, bytes), refusal: null }
  } catch (error) {
    return { id, block: null, refusal: (error as Error).message }
  }
}

/**
 * The worker's side: asks and waits, with its event loop standing still, because blocks are asked
 * for while modules load. Each name is asked for once.
 */
export function memoryProvider(
  { port, signal }: MemoryEnd,
  timeoutMs: number = ANSWER_TIMEOUT_MS,
): SharedMemoryProvider {
  const known = new Map<string, SharedArrayBuffer>()
  const answers = new Int32Array(signal)
  let requests = 0
  return (name, bytes) => {
    const block = known.get(name)
    if (block?.byteLength === bytes) return block
    requests++
    const request: MemoryRequest = { id: requests, name, bytes }
    port.postMessage(request)
    const reply = awaitReply(port, answers, requests, timeoutMs)
    if (reply.block === null) throw new RrError('RR_SHARED_MEMORY', reply.refusal)
    known.set(name, reply.block)
    return reply.block
  }
}

function awaitReply(
  port: MessagePort,
  answers: Int32Array,
  id: number,
  timeoutMs: number,
): MemoryReply {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    // Read before looking: an answer that comes in between then ends the wait at once.
    const seen = Atomics.load(answers, 0)
    for (let entry = receiveMessageOnPort(port); entry; entry = receiveMessageOnPort(port)) {
      const reply = entry.message as MemoryReply
      // An answer to an earlier request, which had been given up.
      if (reply.id === id) return reply
    }
    const leftMs = endMs - performance.now()
    if (leftMs <= 0) {
      throw new RrError(
        'RR_SHARED_MEMORY',
        `shared memory: the thread that started this one has not answered in ${timeoutMs} ms`,
      )
    }
    Atomics.wait(answers, 0, seen, leftMs)
  }
}
