/** Logs at one level: fields and a message, or a message alone. */
export interface LogMethod {
  (fields: object, message?: string): void
  (message: string): void
}

/** What `request.log` is, and what a logger must have to be given to rr: pino's are, for one. */
export interface RequestLog {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly fatal: LogMethod
  /** A logger whose lines carry these fields as well. */
  child(fields: Record<string, unknown>): RequestLog
}

interface LoggedRequest {
  readonly id: string
  readonly route: string | null
}

/** Where a request's log comes from; and, once it was asked for, that log. */
export class LogSource {
  readonly #base: RequestLog

  constructor(base: RequestLog) {
    this.#base = base
  }

  open(request: LoggedRequest): OpenLog {
    return new OpenLog(this, request)
  }

  child({ id: requestId, route }: LoggedRequest): RequestLog {
    return this.#base.child(route === null ? { requestId } : { requestId, route })
  }
}

/** The log of one request, made again when its identifier or its route has changed. */
export class OpenLog {
  readonly #source: LogSource
  #id: string
  #route: string | null
  #log: RequestLog

  constructor(source: LogSource, request: LoggedRequest) {
    this.#source = source
    this.#id = request.id
    this.#route = request.route
    this.#log = source.child(request)
  }

  current(request: LoggedRequest): RequestLog {
    if (request.id !== this.#id || request.route !== this.#route) {
      this.#id = request.id
      this.#route = request.route
      this.#log = this.#source.child(request)
    }
    return this.#log
  }
}

function ignore(): void {}

const silent: RequestLog = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
  child: () => silent,
}

/** Where nobody gave a logger. */
export const SILENT_LOG: LogSource = new LogSource(silent)
