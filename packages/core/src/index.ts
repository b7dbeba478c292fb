export {
  type Application,
  type ApplicationDefinition,
  type ApplicationParts,
  type DefinedApplication,
  defineApp,
  type HandlerDefinition,
  isDefinedApplication,
  type RoutesDefinition,
  resolveApplication,
  type WorkerContext,
} from './application.ts'
export { clientKey } from './client-key.ts'
export { type CookieOptions, cookie, deleteCookie } from './cookie.ts'
export {
  isRefusalHeard,
  type ProtocolName,
  publishRefusal,
  REQUEST_CHANNELS,
  REQUEST_TRACING,
  type RefusalMessage,
  type RequestChannels,
  type RequestMessage,
} from './diagnostics.ts'
export { DrainError, type DrainListener, type DrainNotice } from './drain-notice.ts'
export { type DrainSource, endAtDrain } from './end-at-drain.ts'
export { answerErrors, catchErrors, type ErrorHandler, takeLateErrors } from './error-handler.ts'
export { changeErrorHeaders, type HeaderChange } from './error-headers.ts'
export { errorResponse } from './error-response.ts'
export {
  ERROR_STATUS,
  type ErrorCode,
  HttpError,
  type HttpErrorOptions,
  RrError,
  type RrErrorOptions,
} from './errors.ts'
export type { EventStream, EventStreamStart } from './event-stream.ts'
export type {
  ConnectionMetrics,
  ConnectionShare,
  RequestDurations,
  TimedRequest,
} from './exchange.ts'
export { isToken } from './field-syntax.ts'
export type { FormFields } from './form-fields.ts'
export { FORM_OPTIONS, type FormOptions, type FormOptionsInput } from './form-options.ts'
export type {
  Dispatcher,
  FetchApplication,
  Handler,
  HandlerResult,
  RouteTable,
} from './handler.ts'
export { HeaderBlock, type HeadersInput, headerBlock, mergeHeaders } from './header-block.ts'
export { HTTP_OPTIONS, type HttpOptions, type HttpOptionsInput } from './http-options.ts'
export { createHttpService, type HttpService } from './http-service.ts'
export type { AccessEntry, HttpServiceOptions } from './http-service-options.ts'
export { formatIpAddress, type IpAddress, isIpv4, parseIpAddress } from './ip-address.ts'
export { isJsonType, type JsonBodyOptions } from './json-body.ts'
export { KeyedHash } from './keyed-hash.ts'
export { mainValue } from './media-type.ts'
export { composeMiddleware, type Middleware, type Next } from './middleware.ts'
export type { MultipartPart } from './multipart.ts'
export type { MultipartForm, UploadedFile } from './multipart-form.ts'
export {
  MULTIPART_OPTIONS,
  type MultipartOptions,
  type MultipartOptionsInput,
} from './multipart-options.ts'
export { type NdjsonSource, ndjson } from './ndjson.ts'
export { accepts, acceptsEncoding, acceptsLanguage, rankEncodings } from './negotiation.ts'
export { Networks } from './networks.ts'
export {
  type AutoIntegerOptionRow,
  type BooleanOptionRow,
  describeDefault,
  describeValues,
  type EnumOptionRow,
  type IntegerOptionRow,
  nearestName,
  type OptionRow,
  type OptionsInput,
  type OptionTable,
  type ResolvedOptions,
  resolveOptions,
  type StringListOptionRow,
  type StringOptionRow,
  unknownOption,
} from './options.ts'
export { REACHED_LIMITS, type ReachedLimit } from './reached-limit.ts'
export type {
  RefusalCause,
  RefusalEntry,
  RefusalObserver,
  RequestAdmission,
  RequestRefusalCause,
} from './refusal-entry.ts'
export { HttpRequest } from './request.ts'
export { currentRequest } from './request-context.ts'
export type { RequestCookies } from './request-cookies.ts'
export type { RequestHeaders } from './request-headers.ts'
export type { LogMethod, RequestLog } from './request-log.ts'
export {
  bytes,
  empty,
  HttpResponse,
  html,
  json,
  jsonSerializer,
  type ProblemDetails,
  problem,
  type RedirectStatus,
  type ResponseBody,
  type ResponseChanges,
  type ResponseInit,
  type ResponseValue,
  redirect,
  type StreamBody,
  type StreamInit,
  stream,
  text,
} from './response.ts'
export { type ChunkReader, chunkReader, discardBody } from './response-stream.ts'
export type { TrailerSource } from './response-trailers.ts'
export { BODY_LIMITS, type RouteLimits, type RouteLimitsLookup } from './route-limits.ts'
export type { ServerSentEvent } from './server-sent-event.ts'
export {
  MAX_SHARED_BYTES,
  provideSharedMemory,
  type SharedMemoryProvider,
  SharedMemoryStore,
  sharedMemory,
} from './shared-memory.ts'
export { lastEventId, type SseInit, type SseSource, sse } from './sse.ts'
export { parseTraceParent, type TraceParent } from './trace-parent.ts'
export type {
  Clock,
  EndpointAddress,
  ProtocolConnection,
  TlsFacts,
  Transport,
} from './transport.ts'
export { discardUnsent } from './unsent-bodies.ts'
export { sourceRequest } from './web-request.ts'
