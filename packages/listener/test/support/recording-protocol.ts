import type { DrainNotice, ProtocolConnection, Transport } from '@rr/core'

/** A protocol that writes down what it is told, and does what the test says. */
export class RecordingProtocol implements ProtocolConnection {
  readonly transport: Transport
  hasWork = false
  readonly events: string[] = []
  received = ''
  receivedBytes = 0
  closeError: Error | null = null
  onDataDo: ((text: string) => void) | null = null
  onEndDo: (() => void) | null = null
  onTimeoutDo: (() => void) | null = null
  onDrainDo: (() => void) | null = null

  constructor(transport: Transport) {
    this.transport = transport
  }

  onData(bytes: Uint8Array, offset: number, length: number): void {
    this.events.push('data')
    const text = Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1')
    this.received += text
    this.receivedBytes += length
    this.onDataDo?.(text)
  }

  onEnd(): void {
    this.events.push('end')
    this.onEndDo?.()
  }

  onClose(error: Error | null): void {
    this.events.push('close')
    this.closeError = error
  }

  onDrain(): void {
    this.events.push('drain')
    this.onDrainDo?.()
  }

  onTimeout(): void {
    this.events.push('timeout')
    this.onTimeoutDo?.()
  }

  onDrainNotice(_notice: DrainNotice, idleDeadlineMs: number): void {
    this.events.push(`notice ${idleDeadlineMs}`)
  }

  has(event: string): boolean {
    return this.events.includes(event)
  }
}
