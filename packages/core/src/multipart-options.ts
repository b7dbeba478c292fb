import { type OptionsInput, type ResolvedOptions, resolveOptions } from './options.ts'

/** Limits of `request.multipart()` and `request.multipartForm()`; over one is answered 413. */
export const MULTIPART_OPTIONS = {
  maxParts: {
    type: 'integer',
    default: 1000,
    minimum: 0,
    maximum: 1_000_000,
    doc: 'Most parts, fields and files together.',
  },
  maxFiles: {
    type: 'integer',
    default: 100,
    minimum: 0,
    maximum: 1_000_000,
    doc: 'Most files: parts with a file name.',
  },
  maxFieldBytes: {
    type: 'integer',
    default: 65_536,
    minimum: 0,
    maximum: 1_073_741_824,
    doc: 'Longest field: a part without a file name.',
  },
  maxFileBytes: {
    type: 'integer',
    default: 9_007_199_254_740_991,
    minimum: 0,
    maximum: 9_007_199_254_740_991,
    doc: "Longest file. By default the limit of the whole body is a file's too.",
  },
  maxNameBytes: {
    type: 'integer',
    default: 1024,
    minimum: 1,
    maximum: 65_536,
    doc: 'Longest name of a field, and longest file name.',
  },
  maxHeaderBytes: {
    type: 'integer',
    default: 8192,
    minimum: 64,
    maximum: 65_536,
    doc: 'Most bytes in the names and values of the header lines of a part.',
  },
  maxHeaders: {
    type: 'integer',
    default: 20,
    minimum: 1,
    maximum: 1000,
    doc: 'Most header lines in a part.',
  },
} as const

export type MultipartOptions = ResolvedOptions<typeof MULTIPART_OPTIONS>
export type MultipartOptionsInput = OptionsInput<typeof MULTIPART_OPTIONS>

const DEFAULTS: MultipartOptions = resolveOptions(MULTIPART_OPTIONS, {}, 'multipart()')

/** @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID */
export function resolveMultipartOptions(
  input: MultipartOptionsInput | undefined,
): MultipartOptions {
  return input === undefined ? DEFAULTS : resolveOptions(MULTIPART_OPTIONS, input, 'multipart()')
}
