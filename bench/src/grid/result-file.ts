import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LoadResult, LoadShape } from '../model.ts'
import type { Disturbance } from './machine-load.ts'

/** Goes up when a reader of the old form could misread the new one. */
export const SCHEMA_VERSION = 1

/** Everything that one call of the harness found out, as it is written to disk. */
export interface ResultFile {
  readonly kind: 'rr-bench'
  readonly schema: typeof SCHEMA_VERSION
  readonly startedAt: string
  readonly finishedAt: string
  /** True when it was interrupted: what is there is right, and something is missing. */
  readonly isPartial: boolean
  readonly machine: MachineFacts
  readonly software: {
    readonly node: string
    readonly drivers: readonly ProbedPart[]
  }
  readonly commit: { readonly hash: string; readonly isDirty: boolean } | null
  readonly options: GridOptions
  readonly cpus: {
    readonly server: readonly number[]
    readonly driver: readonly number[]
    readonly note: string
  }
  readonly scenarios: readonly ScenarioFacts[]
  readonly servers: readonly ProbedPart[]
  readonly cells: readonly Cell[]
  readonly runs: readonly RunRecord[]
}

export interface MachineFacts {
  readonly cpuModel: string
  readonly cpuCount: number
  readonly physicalCoreCount: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly isVirtual: boolean
  /** `performance` and the like; null where the machine does not tell. */
  readonly frequencyGovernor: string | null
  readonly maxOpenFiles: string
  readonly sysctls: Readonly<Record<string, string>>
}

/** A server or a driver: its version, or why it is not here. */
export interface ProbedPart {
  readonly name: string
  readonly version: string | null
  readonly missing: string | null
}

export interface ScenarioFacts {
  readonly name: string
  readonly summary: string
  readonly shape: LoadShape
  readonly notYet: string | null
}

export interface GridOptions {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly workers: number
  /** Null for what each scenario says. */
  readonly connections: number | null
  readonly driver: string
  /** Constant rates as parts of each server's own median peak. */
  readonly fractions: readonly number[]
}

/** Whether a server is measured in a scenario. */
export interface Cell {
  readonly scenario: string
  readonly server: string
  readonly state: 'measured' | 'wrong' | 'missing' | 'not-run'
  /** Why not; null where it is measured. */
  readonly reason: string | null
}

export interface RunRecord {
  /** The order in which runs were made, from 1. */
  readonly sequence: number
  readonly scenario: string
  readonly server: string
  readonly round: number
  /** Null in the closed loop, else the part of the server's own median peak. */
  readonly fraction: number | null
  readonly rate: number | null
  readonly measured: MeasuredRun | null
  /** Why there is no measurement; null when there is one. */
  readonly failure: string | null
}

export interface MeasuredRun {
  readonly load: LoadResult
  readonly serverCpuMicroseconds: number
  readonly serverPeakRssBytes: number
  readonly serverProcesses: number
  readonly disturbance: Disturbance
}

/** Writes through a second file, so that an interruption leaves the old or the new one. */
export function writeResultFile(path: string, result: ResultFile): void {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify(result, null, 1)}\n`)
  renameSync(temporary, path)
}

/** @throws Error when the file is not there, not JSON, or not of this schema */
export function readResultFile(path: string): ResultFile {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
  const header = value as Partial<ResultFile> | null
  if (typeof header !== 'object' || header?.kind !== 'rr-bench') {
    throw new Error(`${path} is not a result file of this harness`)
  }
  if (header.schema !== SCHEMA_VERSION) {
    throw new Error(
      `${path} has schema ${header.schema}; this version reads schema ${SCHEMA_VERSION}`,
    )
  }
  return header as ResultFile
}
