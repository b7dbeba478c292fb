import { RrError } from '@rr/core'
import { type Server, type ServerEvent, serve } from '@rr/listener'
import { resolveApplicationPath } from './application-path.ts'
import type { ServeCommand } from './command.ts'
import { type ExitReason, exitCode } from './exit-codes.ts'
import { createWriterState, releaseTurn } from './line-writer.ts'
import { explainLoadError, findExplanation } from './load-error.ts'
import { type LogSettings, openLog, SUPERVISOR, type ThreadLog } from './logger.ts'
import { watchStopSignals } from './stop-signals.ts'
import { logServerEvent } from './supervisor-log.ts'
import { versionText } from './versions.ts'
import type { WorkerHooksData } from './worker-hooks.ts'

/** Beside this file, in the same form: compiled, or source when it runs from source. */
const WORKER_HOOKS_URL = new URL(
  import.meta.url.endsWith('.ts') ? './worker-hooks.ts' : './worker-hooks.js',
  import.meta.url,
)
