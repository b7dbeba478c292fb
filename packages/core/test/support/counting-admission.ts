import type { RequestAdmission, RequestRefusalCause } from '../../src/refusal-entry.ts'

/** Admits up to `max` requests at a time, and notes whether slots are given back once each. */
export class CountingAdmission implements RequestAdmission {
  max: number
  cause: Exclude<RequestRefusalCause, 'protocol'> = 'requests-in-flight'
  held = 0
  admitted = 0
  lowest = 0

  constructor(max: number) {
    this.max = max
  }

  admit(): Exclude<RequestRefusalCause, 'protocol'> | null {
    if (this.held >= this.max) return this.cause
    this.held++
    this.admitted++
    return null
  }

  release(): void {
    this.held--
    this.lowest = Math.min(this.lowest, this.held)
  }
}
