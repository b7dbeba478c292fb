import { writeSync } from 'node:fs'
import { type DestinationStream, type Logger, pino } from 'pino'
import { LineWriter } from './line-writer.ts'

export type { Logger } from 'pino'

/** What every thread of a process must agree on to log; can be sent to a worker. */
export interface LogSettings {
  readonly level: string
  /** JSON lines for programs, short ones for people. */
  readonly format: 'json' | 'pretty'
  readonly colour: boolean
  /** Where lines go; made by `openLogOutput`. */
  readonly fd: number
  /** Made by `createWriterState`. */
  readonly writerState: SharedArrayBuffer
}

/** The number of the main thread, where the supervisor runs; workers count from 1. */
export const SUPERVISOR = 0

const STDERR = 2

/**
 * A worker waits for the log's reader: that is what bounds its memory. The main thread must stay
 * able to hear a signal, so it keeps a line that waits longer than this for later.
 */
const SUPERVISOR_PATIENCE_MS = 100

/** A thread's log, one for requests that the log level does not filter, and one for handlers. */
export interface ThreadLog {
  readonly log: Logger
  readonly accessLog: Logger
  /** What `request.log` logs to: as `log`, but for people its lines show all that was logged. */
  readonly handlerLog: Logger
  /** Writes what waits; gives up when the reader takes nothing for `patienceMs`. */
  flush(patienceMs: number): void
}

/** Opens the log of one thread. Each line carries `worker`, the thread's number. */
export async function openLog(settings: LogSettings, worker: number): Promise<ThreadLog> {
  const lines = new LineWriter({
    fd: settings.fd,
    state: settings.writerState,
    owner: worker,
    patienceMs: worker === SUPERVISOR ? SUPERVISOR_PATIENCE_MS : Infinity,
    onGone: reportGone,
  })
  const isJson = settings.format === 'json'
  const destination = isJson ? lines : await prettyLines(lines, settings.colour, OWN_FIELDS)
  const ofHandlers = isJson ? lines : await prettyLines(lines, settings.colour, HANDLER_FIELDS)
  const base = { worker }
  return {
    log: pino({ level: settings.level, base }, destination),
    accessLog: pino({ level: 'info', base }, destination),
    handlerLog: pino({ level: settings.level, base }, ofHandlers),
    flush: (patienceMs) => lines.flush(patienceMs),
  }
}

/** The sentences of rr's own lines have what people need of their fields. */
const OWN_FIELDS = { include: 'time,level,err' } as const
const HANDLER_FIELDS = { ignore: 'worker,route,pid,hostname' } as const

/** Formats in the thread that logs: a stream of its own could lose lines at the thread's end. */
async function prettyLines(
  lines: LineWriter,
  colour: boolean,
  fields: typeof OWN_FIELDS | typeof HANDLER_FIELDS,
): Promise<DestinationStream> {
  const { prettyFactory } = await import('pino-pretty')
  const format = prettyFactory({
    colorize: colour,
    translateTime: 'SYS:HH:MM:ss.l',
    ...fields,
    messageFormat: (line, key) => `${threadLabel(line['worker'])}  ${String(line[key] ?? '')}`,
  })
  return { write: (line) => lines.write(format(line)) }
}

function threadLabel(worker: unknown): string {
  return worker === SUPERVISOR ? 'main    ' : `worker ${String(worker)}`
}

/** Said once for the process; stderr may well have gone too. */
function reportGone(error: NodeJS.ErrnoException): void {
  const message = `rr-serve: the log cannot be written any more (${error.code}); serving goes on\n`
  try {
    writeSync(STDERR, message)
  } catch {}
}
