export { type Phase, REFUSAL_STATUSES, type RefusalStatus } from './control-block.ts'
export { type CpuGrant, grantedCpus } from './cpu-count.ts'
export { type ListenOptions, listen } from './listen.ts'
export { deserializeError, type SerializedError, serializeError } from './serialized-error.ts'
export { type ServeOptions, serve } from './serve.ts'
export type { DrainOptions, DrainResult, Server } from './server.ts'
export {
  describeTrouble,
  type EventListener,
  type ExitReason,
  type FailedRequest,
  type ServerEvent,
  type StartStage,
  type WarningCode,
} from './server-events.ts'
export type {
  Rejections,
  ServerCounts,
  ServerInfo,
  ServerStatus,
  WorkerInfo,
} from './server-info.ts'
export { LISTEN_OPTIONS, SERVER_OPTIONS } from './server-options.ts'
export type {
  CreateWorkerHooks,
  WorkerEvent,
  WorkerHooks,
  WorkerHooksContext,
} from './worker-hooks.ts'
