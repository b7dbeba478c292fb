import type { LogMethod, RequestLog } from '../../src/request-log.ts'

/** A line that was logged: the fields of the loggers it came through, and its own. */
export interface LoggedLine {
  readonly level: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string | undefined
}

/** A logger that keeps what is logged. */
export class LogRecord {
  readonly lines: LoggedLine[] = []
  /** How many loggers were made. */
  children = 0
  readonly log: RequestLog = this.#make({})

  #make(bound: Readonly<Record<string, unknown>>): RequestLog {
    const method =
      (level: string): LogMethod =>
      (given: object | string, message?: string) => {
        const isText = typeof given === 'string'
        const fields = isText ? bound : { ...bound, ...given }
        this.lines.push({ level, fields, message: isText ? given : message })
      }
    return {
      trace: method('trace'),
      debug: method('debug'),
      info: method('info'),
      warn: method('warn'),
      error: method('error'),
      fatal: method('fatal'),
      child: (fields) => {
        this.children++
        return this.#make({ ...bound, ...fields })
      },
    }
  }
}
