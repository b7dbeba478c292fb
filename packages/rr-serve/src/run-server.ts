import { resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  SERVER_OPTIONS,
  type ServeOptions,
  type Server,
  type ServerEvent,
  serve,
} from '@rr/listener'
import { resolveApplicationPath } from './application-path.ts'
import type { ServeCommand } from './command.ts'
import { parseDebuggedWorker } from './debugged-worker.ts'
import { endProcess, type ProcessEnd } from './end-process.ts'
import type { ExitReason } from './exit-codes.ts'
import { type LogSettings, openLog, SUPERVISOR, type ThreadLog } from './logger.ts'
import { createWriterState, releaseTurn } from './output-turn.ts'
import { describeChange, type ReloadReason, ReloadRun } from './reload-run.ts'
import type { ServerSignals } from './server-signals.ts'
import { explainStartError, isApplicationFailure } from './start-error.ts'
import { describeListening, describeServerEvent, type LogLine } from './supervisor-log.ts'
import { TerminalHangup } from './terminal-hangup.ts'
import { openLogOutput, unblockTerminal } from './terminal-output.ts'
import { versionText } from './versions.ts'
import { WATCH_DEBUGGED_RELOAD, WATCH_RELOAD, WatchMode } from './watch-mode.ts'
import type { WorkerHooksData } from './worker-hooks.ts'

/** Beside this file, in the same form: compiled, or source when it runs from source. */
const WORKER_HOOKS_URL = new URL(
  import.meta.url.endsWith('.ts') ? './worker-hooks.ts' : './worker-hooks.js',
  import.meta.url,
)

/** What a forced stop gives the workers to end by themselves, with their last log lines. */
const FORCE_GRACE_MS = 2000

/**
 * When a drain is past its deadline by this much, threads are stuck: the supervisor has ended them
 * 2 s past it, which one in a native call does not heed.
 */
const STUCK_GRACE_MS = 3000

/** Serves until a signal or an error ends it, and ends the process. */
export async function runServer(command: ServeCommand, signals: ServerSignals): Promise<void> {
  unblockTerminal(process.stdout)
  unblockTerminal(process.stderr)
  let application: URL
  try {
    application = resolveApplicationPath(command.application)
  } catch (error) {
    const { reason, text } = explainStartError(error, command.application)
    return endProcess({ reason, text })
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

const TOLD_BY_RELOAD: ReadonlySet<ServerEvent['type']> = new Set([
  'reload-started',
  'reload-ended',
  'worker-listening',
  'worker-failed',
])

/** One run of the server, from its start to its end. */
class ServerRun {
  readonly #command: ServeCommand
  readonly #application: URL
  readonly #settings: LogSettings
  readonly #log: ThreadLog
  readonly #watch: WatchMode | null
  readonly #terminal: TerminalHangup = new TerminalHangup()
  /** Null until all workers listen. */
  #server: Server | null = null
  #reloads: ReloadRun | null = null
  /** A reload was asked for before there was anything to reload. */
  #wantsReload: ReloadReason | null = null
  /** A start has failed, and a change of the code is waited for. */
  #isWaiting = false
  #isStopping = false
  /** A further signal came: whatever the drain still finds, it was cut short. */
  #isForced = false
  #isEnding = false

  constructor(command: ServeCommand, application: URL, settings: LogSettings, log: ThreadLog) {
    this.#command = command
    this.#application = application
    this.#settings = settings
    this.#log = log
    const { watch, watchPath } = command.cliOptions
    this.#watch = watch ? new WatchMode(application, watchPath, log.log) : null
  }

  async start(signals: ServerSignals): Promise<void> {
    const { log } = this.#log
    process.on('uncaughtException', (error) => this.#onUncaught(error))
    log.info({ application: this.#application.href }, `${versionText()}, process ${process.pid}`)
    signals.obey({
      onStop: (signal) => this.#onStop(signal),
      onForce: (signal) => this.#onForce(signal),
      onReload: (signal) => this.#onReload(signal),
    })
    // A signal came while the command itself was loading: nothing has begun that must be drained.
    if (this.#isStopping) return this.#end({ reason: 'drained' })
    const server = await this.#serve()
    if (server === null) return
    this.#server = server
    if (this.#isStopping) return this.#drain(server)
    this.#write(describeListening(server))
    const reloads = new ReloadRun(server, this.#command.application, log)
    this.#reloads = reloads
    if (this.#wantsReload !== null) void reloads.reload(this.#wantsReload)
    if (this.#watch !== null) await this.#reloadOnChanges(this.#watch, reloads)
  }

  /** Null where the process is on its way to its end. Under watch, code that fails can be mended. */
  async #serve(): Promise<Server | null> {
    for (;;) {
      try {
        return await serve(this.#application, this.#serveOptions())
      } catch (error) {
        const { reason, text } = explainStartError(error, this.#command.application)
        if (this.#watch === null || this.#isStopping || !isApplicationFailure(error)) {
          await this.#end({ reason, text })
          return null
        }
        process.stderr.write(text)
        if (!(await this.#waitForChange(this.#watch))) return null
      }
    }
  }

  async #waitForChange(watch: WatchMode): Promise<boolean> {
    this.#log.log.info('not started: waiting for a change of the code')
    this.#isWaiting = true
    const changed = await watch.nextChange()
    this.#isWaiting = false
    if (changed === null) return false
    this.#log.log.info({ changed }, `${describeChange(changed)}: starting again`)
    return true
  }

  async #reloadOnChanges(watch: WatchMode, reloads: ReloadRun): Promise<void> {
    const isDebugged = this.#command.cliOptions.inspectWorker !== ''
    const options = isDebugged ? WATCH_DEBUGGED_RELOAD : WATCH_RELOAD
    for (;;) {
      const changed = await watch.nextChange()
      if (changed === null || this.#isStopping) return
      await reloads.reload({ changed }, options)
    }
  }

  #serveOptions(): ServeOptions {
    const { serverOptions, cliOptions } = this.#command
    // A worker that stands at a breakpoint has not stalled.
    const unwatched = cliOptions.inspectWorker === '' ? {} : { stallTimeoutMs: 0 }
    return {
      ...serverOptions,
      ...unwatched,
      onEvent: (event) => this.#onEvent(event),
      workerHooks: WORKER_HOOKS_URL,
      workerHooksData: this.#hooksData(),
    }
  }

  #hooksData(): WorkerHooksData {
    const { accessLog, cpuProf, cpuProfDir, inspectWorker } = this.#command.cliOptions
    return {
      application: this.#application.href,
      logSettings: this.#settings,
      accessLog,
      watchChannel: this.#watch?.channelName ?? null,
      cpuProfDir: cpuProf ? resolve(cpuProfDir) : null,
      debugged: parseDebuggedWorker(inspectWorker),
    }
  }

  #onEvent(event: ServerEvent): void {
    if (event.type === 'worker-exited') releaseTurn(this.#settings.writerState, event.workerId)
    const line = describeServerEvent(event, this.#server !== null)
    // A reload says in one line how it went, and why not.
    const isQuiet = TOLD_BY_RELOAD.has(event.type) && this.#reloads?.isUnderWay === true
    this.#write(line !== null && isQuiet ? { ...line, level: 'debug' } : line)
  }

  #write(line: LogLine | null): void {
    if (line !== null) this.#log.log[line.level](line.fields, line.message)
  }

  #onStop(signal: NodeJS.Signals): void {
    if (this.#isStopping) {
      this.#onForce(signal)
      return
    }
    this.#isStopping = true
    this.#log.log.info({ signal }, `${signal}: stopping`)
    if (this.#isWaiting) void this.#end({ reason: 'drained' })
    else if (this.#server === null) this.#limitStart()
    else void this.#drain(this.#server)
  }

  #onReload(signal: NodeJS.Signals): void {
    const { log } = this.#log
    if (this.#terminal.hasHappened) {
      if (!this.#isStopping) this.#onStop(signal)
    } else if (this.#isStopping) log.info({ signal }, `${signal}: ignored, the server is stopping`)
    else if (this.#reloads !== null) void this.#reloads.reload({ signal })
    else {
      log.info({ signal }, `${signal}: the reload follows once the server has started`)
      this.#wantsReload = { signal }
    }
  }

  /**
   * The drain follows once all workers listen: some may have been asked already. A start that hangs
   * is cut off when a drain would be.
   */
  #limitStart(): void {
    setTimeout(() => {
      if (this.#server === null) void this.#end({ reason: 'drainForced', areThreadsGone: false })
    }, this.#drainTimeoutMs()).unref()
  }

  #drainTimeoutMs(): number {
    const { drainTimeoutMs = SERVER_OPTIONS.drainTimeoutMs.default } = this.#command.serverOptions
    return Number(drainTimeoutMs)
  }

  async #drain(server: Server): Promise<void> {
    // What a drain may wait for before its time begins to run counts as well.
    const delayMs = Number(this.#command.serverOptions['drainDelayMs'] ?? 0)
    const hardLimitMs = delayMs + this.#drainTimeoutMs() + STUCK_GRACE_MS
    const result = await Promise.race([server.drain(), delay(hardLimitMs, null, { ref: false })])
    if (result === null) return this.#leaveStuckThreads('drainForced')
    const isDrained = result.drained && !this.#isForced
    await this.#end({ reason: isDrained ? 'drained' : 'drainForced' })
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
    if (this.#server === null) return this.#end({ reason, areThreadsGone: false })
    // Stopped rather than left: a worker that ends by itself has written its lines.
    const stopped = this.#server.stop().then(() => true)
    if (await Promise.race([stopped, delay(FORCE_GRACE_MS, false)])) await this.#end({ reason })
    else await this.#leaveStuckThreads(reason)
  }

  async #leaveStuckThreads(reason: ExitReason): Promise<void> {
    if (!this.#isEnding) this.#log.log.error('threads are stuck, and are left as they are')
    await this.#end({ reason, areThreadsGone: false })
  }

  /** The first end counts: cutting a drain short makes it finish, too. */
  async #end(end: ProcessEnd): Promise<void> {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#watch?.stop()
    await endProcess({ ...end, log: this.#log })
  }
}
