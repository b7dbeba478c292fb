import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import type { Logger } from './logger.ts'

/**
 * V8 takes a sample each millisecond and keeps all of them in memory: 5 minutes are 300,000, which
 * is as much as the tools that show a profile are good for.
 */
export const MAX_PROFILE_MS: number = 5 * 60_000

/** Profiles that one process leaves: one under watch may replace its workers for days. */
export const MAX_PROFILES = 100

export interface CpuProfile {
  /** Writes the profile, unless its time was over before. */
  end(): void
}

/** Begins to profile the calling thread. Trouble is logged, and never ends the worker. */
export function startCpuProfile(
  { workerId, folder }: { readonly workerId: number; readonly folder: string },
  log: Logger,
  maxMs: number = MAX_PROFILE_MS,
): CpuProfile {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.start')
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    // The answer comes within the call, since the session is with this thread.
    session.post('Profiler.stop', (error, result) => {
      session.disconnect()
      if (error !== null) log.warn({ err: error }, 'no CPU profile: the profiler failed')
      else writeProfile(folder, workerId, JSON.stringify(result.profile), log)
    })
  }
  const timer = setTimeout(end, maxMs).unref()
  return { end }
}

function writeProfile(folder: string, workerId: number, profile: string, log: Logger): void {
  const path = join(folder, `rr-${process.pid}-worker-${workerId}-thread-${threadId}.cpuprofile`)
  try {
    mkdirSync(folder, { recursive: true })
    const own = readdirSync(folder).filter((name) => isOwnProfile(name))
    if (own.length >= MAX_PROFILES) {
      log.warn({ folder }, `no CPU profile: this process has left ${MAX_PROFILES} in ${folder}`)
      return
    }
    // Never over a file or through a link that is there: the folder may be everybody's.
    writeFileSync(path, profile, { flag: 'wx' })
    log.info({ path }, `CPU profile in ${path}`)
  } catch (error) {
    log.warn({ err: error }, `no CPU profile: ${path} cannot be written`)
  }
}

function isOwnProfile(name: string): boolean {
  return name.startsWith(`rr-${process.pid}-worker-`) && name.endsWith('.cpuprofile')
}
