import { setTimeout as delay } from 'node:timers/promises'
import { SERVER_OPTIONS, type Server, type ServerEvent, serve } from '@rr/listener'
import { resolveApplicationPath } from './application-path.ts'
import type { ServeCommand } from './command.ts'
import { endProcess } from './end-process.ts'
import type { ExitReason } from './exit-codes.ts'
import { type LogSettings, openLog, SUPERVISOR, type ThreadLog } from './logger.ts'
import { createWriterState, releaseTurn } from './output-turn.ts'
import { explainStartError } from './start-error.ts'
import type { StopSignals } from './stop-signals.ts'
import { describeListening, describeServerEvent, type LogLine } from './supervisor-log.ts'
import { openLogOutput, unblockTerminal } from './terminal-output.ts'
import { versionText } from './versions.ts'
import type { WorkerHooksData } from './worker-hooks.ts'

/** Beside this file, in the same form: compiled, or source when it runs from source. */
const WORKER_HOOKS_URL = new URL(
  import.meta.url.endsWith('.ts') ? './worker-hooks.ts' : './worker-hooks.js',
  import.meta.url,
)

/** What a forced stop gives the workers to end by themselves, with their last log lines. */
const FORCE_GRACE_MS = 2000

/** Serves until a signal or an error ends it, and ends the process. */
export async function runServer(command: ServeCommand, signals: StopSignals): Promise<void> {
  unblockTerminal(process.stdout)
  unblockTerminal(process.stderr)
  let application: URL
  try {
    application = resolveApplicationPath(command.application)
  } catch (error) {
    const { reason, text } = explainStartError(error, command.application)
    return endProcess(reason, text)
  }
  const settings = logSettings(command)
  const log = await openLog(settings, SUPERVISOR)
  await new ServerRun(command, application, settings, log).start(signals)
}

function logSettings({ cliOptions }: ServeCommand): LogSettings {
  const isTTY = process.stdout.isTTY === true
  const { NO_COLOR: noColour = '', TERM: terminal } = process.env
  return {
    level: cliOptions.logLevel,
    format: isTTY ? 'pretty' : 'json',
    colour: isTTY && noColour === '' && terminal !== 'dumb',
    fd: openLogOutput(),
    writerState: createWriterState(),
  }
}

/** One run of the server, from its start to its end. */
class ServerRun {
  readonly #command: ServeCommand
  readonly #application: URL
  readonly #settings: LogSettings
  readonly #log: ThreadLog
  /** Null until all workers listen. */
  #server: Server | null = null
  #isStopping = false
  /** A further signal came: whatever the drain still finds, it was cut short. */
  #isForced = false
  #isEnding = false

  constructor(command: ServeCommand, application: URL, settings: LogSettings, log: ThreadLog) {
    this.#command = command
    this.#application = application
    this.#settings = settings
    this.#log = log
  }

  async start(signals: StopSignals): Promise<void> {
    const { log } = this.#log
    process.on('uncaughtException', (error) => this.#onUncaught(error))
    log.info({ application: this.#application.href }, `${versionText()}, process ${process.pid}`)
    signals.obey({
      onStop: (signal) => this.#onStop(signal),
      onForce: (signal) => this.#onForce(signal),
    })
    // A signal came while the command itself was loading: nothing has begun that must be drained.
    if (this.#isStopping) return this.#end('drained')
    try {
      this.#server = await serve(this.#application, {
        ...this.#command.serverOptions,
        onEvent: (event) => this.#onEvent(event),
        workerHooks: WORKER_HOOKS_URL,
        workerHooksData: this.#hooksData(),
      })
    } catch (error) {
      const { reason, text } = explainStartError(error, this.#command.application)
      return this.#end(reason, text)
    }
    if (this.#isStopping) return this.#drain(this.#server)
    this.#write(describeListening(this.#server))
  }

  #hooksData(): WorkerHooksData {
    return {
      application: this.#application.href,
      logSettings: this.#settings,
      accessLog: this.#command.cliOptions.accessLog,
    }
  }

  #onEvent(event: ServerEvent): void {
    if (event.type === 'worker-exited') releaseTurn(this.#settings.writerState, event.workerId)
    this.#write(describeServerEvent(event, this.#server !== null))
  }

  #write(line: LogLine | null): void {
    if (line !== null) this.#log.log[line.level](line.fields, line.message)
  }

  #onStop(signal: NodeJS.Signals): void {
    this.#isStopping = true
    this.#log.log.info({ signal }, `${signal}: stopping`)
    if (this.#server === null) this.#limitStart()
    else void this.#drain(this.#server)
  }

  /**
   * The drain follows once all workers listen: some may have been asked already. A start that hangs
   * is cut off when a drain would be.
   */
  #limitStart(): void {
    const { drainTimeoutMs = SERVER_OPTIONS.drainTimeoutMs.default } = this.#command.serverOptions
    setTimeout(() => {
      if (this.#server === null) void this.#end('drainForced')
    }, Number(drainTimeoutMs)).unref()
  }

  async #drain(server: Server): Promise<void> {
    const { drained } = await server.drain()
    await this.#end(drained && !this.#isForced ? 'drained' : 'drainForced')
  }

  #onForce(signal: NodeJS.Signals): void {
    this.#isForced = true
    this.#log.log.warn({ signal }, `${signal} again: stopping now`)
    void this.#stopAndEnd('drainForced')
  }

  #onUncaught(error: unknown): void {
    this.#log.log.fatal({ err: error }, 'the supervisor failed: stopping')
    void this.#stopAndEnd('failed')
  }

  async #stopAndEnd(reason: ExitReason): Promise<void> {
    // Stopped rather than left: a worker that ends by itself has written its lines.
    await Promise.race([this.#server?.stop(), delay(FORCE_GRACE_MS)])
    await this.#end(reason)
  }

  /** The first end counts: cutting a drain short makes it finish, too. */
  async #end(reason: ExitReason, text = ''): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    await endProcess(reason, text, this.#log)
  }
}
