export type { AcceptQueueFate } from './accept-queue.ts'
export {
  COMPUTE_OPTIONS,
  type ComputePool,
  type ComputePoolOptions,
  type ComputeRunOptions,
  computePool,
} from './compute-pool.ts'
export type { ComputeCounts } from './compute-service.ts'
export type { ComputeContext, ComputeTask } from './compute-task.ts'
export type { Phase, RefusalStatus } from './control-block.ts'
export {
  type ConnectionMessage,
  type DrainEndedMessage,
  type DrainStartedMessage,
  SERVER_CHANNELS,
  type ServerChannels,
} from './diagnostics.ts'
export { ErrorWindow } from './error-window.ts'
export { httpUrl } from './http-url.ts'
export { type ListenOptions, listen } from './listen.ts'
export { deserializeError, type SerializedError } from './serialized-error.ts'
export { type ServeOptions, serve } from './serve.ts'
export type {
  AdminAddress,
  DrainOptions,
  DrainResult,
  InProcessServer,
  NotifyDrainOptions,
  ReloadOptions,
  ReloadResult,
  ReloadRoutesOptions,
  Server,
  WorkerServer,
} from './server.ts'
export type {
  EventListener,
  ExitReason,
  FailedRequest,
  ServerEvent,
  StartStage,
  WarningCode,
} from './server-events.ts'
export type {
  Rejections,
  ServerCounts,
  ServerInfo,
  ServerStatus,
  ShedCounts,
  WorkerInfo,
} from './server-info.ts'
export { SERVER_OPTIONS } from './server-options.ts'
export type {
  CreateWorkerHooks,
  WorkerEvent,
  WorkerHooks,
  WorkerHooksContext,
} from './worker-hooks.ts'
