import type { LogMethod, RequestLog } from '@rr/core'
import { serializeError } from './serialized-error.ts'

/** Numbers of levels as pino writes them, so that what reads its logs can read these. */
const LEVELS = { warn: 40, error: 50, fatal: 60 } as const

/** Ends no line and reaches no terminal as a control, whatever a client put into it. */
const UNSAFE = /[\x7f-\x9f\u2028\u2029]/g

/**
 * What handlers log to where nobody gave a logger: lines of JSON on stderr from `warn` on. Less is
 * dropped: who wants it gives a logger.
 */
export function stderrLog(
  fields: Record<string, unknown>,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): RequestLog {
  const method =
    (level: number): LogMethod =>
    (given: object | string, message?: string) =>
      write(line(level, fields, given, message))
  return {
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: method(LEVELS.warn),
    error: method(LEVELS.error),
    fatal: method(LEVELS.fatal),
    child: (more) => stderrLog({ ...fields, ...more }, write),
  }
}

function line(
  level: number,
  fields: Record<string, unknown>,
  given: object | string,
  message: string | undefined,
): string {
  const isText = typeof given === 'string'
  const own = isText ? {} : given instanceof Error ? { err: given } : given
  const msg = isText ? given : (message ?? (given instanceof Error ? given.message : undefined))
  const head = { level, time: Date.now(), ...fields }
  const text = toJson({ ...head, ...own, msg }) ?? toJson({ ...head, msg }) ?? '{}'
  return `${text.replace(UNSAFE, escapeUnit)}\n`
}

/** Null for what JSON cannot hold, such as a circle: a log line ends no request. */
function toJson(record: object): string | null {
  try {
    return JSON.stringify(record, (_name, value: unknown) =>
      value instanceof Error
        ? serializeError(value)
        : typeof value === 'bigint'
          ? String(value)
          : value,
    )
  } catch {
    return null
  }
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function ignore(): void {}
