import { readdirSync, readFileSync } from 'node:fs'
import { readProcessLimits } from '../descriptor-limit.ts'

/** What there is to know of the process as a whole. */
export interface ProcessFacts {
  readonly residentBytes: number
  readonly cpuUserSeconds: number
  readonly cpuSystemSeconds: number
  /** Seconds since 1970. */
  readonly startTimeSeconds: number
  /** Null where the system does not tell. */
  readonly openFds: number | null
  readonly maxFds: number | null
}

/** The version of this package. */
export const VERSION: string = readVersion()

export function readProcessFacts(): ProcessFacts {
  const { user, system } = process.cpuUsage()
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuUserSeconds: user / 1e6,
    cpuSystemSeconds: system / 1e6,
    startTimeSeconds: Date.now() / 1000 - process.uptime(),
    openFds: countOpenFds(),
    maxFds: readMaxFds(),
  }
}

/** Reading the folder takes a descriptor itself, which is not counted. */
function countOpenFds(): number | null {
  try {
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return null
  }
}

function readMaxFds(): number | null {
  const limit = /^Max open files\s+(\d+)/m.exec(readProcessLimits() ?? '')?.[1]
  return limit === undefined ? null : Number(limit)
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
