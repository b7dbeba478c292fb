import { type OptionsInput, type ResolvedOptions, resolveOptions } from './options.ts'

/** Limits of `request.form()`. */
export const FORM_OPTIONS = {
  maxFields: {
    type: 'integer',
    default: 1000,
    minimum: 0,
    maximum: 1_000_000,
    doc: 'Most fields in a form; more is answered 413.',
  },
} as const

export type FormOptions = ResolvedOptions<typeof FORM_OPTIONS>
export type FormOptionsInput = OptionsInput<typeof FORM_OPTIONS>

const DEFAULTS: FormOptions = resolveOptions(FORM_OPTIONS, {}, 'form()')

/** @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID */
export function resolveFormOptions(input: FormOptionsInput | undefined): FormOptions {
  return input === undefined ? DEFAULTS : resolveOptions(FORM_OPTIONS, input, 'form()')
}
