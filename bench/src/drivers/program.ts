import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What became of a program. */
export interface ProgramRun {
  readonly stdout: string
  readonly stderr: string
  /** Null when a signal ended it. */
  readonly code: number | null
  /** User and system time of all its threads. */
  readonly cpuSeconds: number
}

/** The shell tells the CPU time of what it ran: the system tells it only to a program's parent. */
const TIMED = '"$@"; code=$?; times >&2; exit $code'
/** The last line of `times`: user and system time of the children, such as `0m1.25s 0m0.50s`. */
const CHILD_TIMES = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/
/** What a shell exits with when there is no such program. */
const NOT_FOUND = 127

/**
 * Runs a program to its end.
 *
 * @param cpus the CPUs that it is bound to; empty for any
 * @throws Error when it cannot be started
 */
export async function runProgram(
  program: string,
  parameters: readonly string[],
  cpus: readonly number[] = [],
): Promise<ProgramRun> {
  const bound = cpus.length === 0 ? [] : ['taskset', '-c', cpus.join(',')]
  const child = spawn('sh', ['-c', TIMED, 'sh', ...bound, program, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  if (code === NOT_FOUND) throw new Error(`${program} cannot be run: ${stderr}`)
  return { stdout, stderr, code, cpuSeconds: parseChildTimes(stderr) }
}

/** @param times what the shell's `times` printed */
export function parseChildTimes(times: string): number {
  const [, userMinutes, user, systemMinutes, system] = CHILD_TIMES.exec(times) ?? []
  return (Number(userMinutes) + Number(systemMinutes)) * 60 + Number(user) + Number(system)
}

/** The first line that `program -v` prints, which wrk and wrk2 do before they end with an error. */
export async function probeProgram(
  program: string,
): Promise<{ readonly version: string } | { readonly missing: string }> {
  try {
    const { stdout, stderr } = await runProgram(program, ['-v'])
    const version = /wrk (\S+)/.exec(stdout + stderr)?.[1]
    return version === undefined ? { missing: `${program} tells no version` } : { version }
  } catch {
    return { missing: `${program} is not on PATH` }
  }
}
