import type { MessagePort } from 'node:worker_threads'
import type { ComputeResult, ComputeService } from './compute-service.ts'
import type { ComputeReply, ComputeRequest } from './messages.ts'
import { serializeError } from './serialized-error.ts'

/**
 * Runs what one worker asks for through its port, in the main thread. A worker that ends closes its
 * port, and its tasks are cancelled.
 */
export function serveComputePort(port: MessagePort, service: ComputeService): void {
  const running = new Map<number, AbortController>()

  const run = async (request: ComputeRequest & { type: 'run' }): Promise<void> => {
    const { id, job } = request
    const controller = new AbortController()
    running.set(id, controller)
    try {
      reply(port, id, await service.run(job, controller.signal))
    } catch (error) {
      if (!controller.signal.aborted) fail(port, id, error)
    } finally {
      running.delete(id)
    }
  }

  port.on('message', (request: ComputeRequest) => {
    if (request.type === 'run') void run(request)
    else running.get(request.id)?.abort()
  })
  // What did not survive the way between threads cannot be told apart: the worker fails all it has.
  port.on('messageerror', () => port.close())
  port.on('close', () => {
    for (const controller of running.values()) controller.abort()
  })
  port.unref()
}

function reply(port: MessagePort, id: number, { value, transfer }: ComputeResult): void {
  const message: ComputeReply = { type: 'done', id, value }
  port.postMessage(message, [...transfer])
}

function fail(port: MessagePort, id: number, error: unknown): void {
  const message: ComputeReply = { type: 'failed', id, error: serializeError(error) }
  port.postMessage(message)
}
