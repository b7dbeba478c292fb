export {
  type ConditionalRequest,
  type ConditionOutcome,
  evaluateConditions,
  evaluateIfRange,
  type Validators,
} from './conditional.ts'
export { contentDisposition } from './content-disposition.ts'
export { type FileOptions, file } from './file.ts'
export type { SymlinkPolicy } from './file-root.ts'
export type { Precompressed } from './precompressed.ts'
export { type ByteRange, type RangeSelection, selectRanges } from './range.ts'
export { requestId } from './request-id.ts'
export { type StaticHandler, staticFiles } from './static-files.ts'
export type { StaticOptions } from './static-options.ts'
export type { DotfilePolicy } from './static-path.ts'
