import type { LogMethod, RequestLog } from '@rr/core'

/** A logger that adds each line to a list, whatever its level. */
export function recordingLog(
  lines: { readonly fields: object; readonly message: string | undefined }[],
  bound: object = {},
): RequestLog {
  const add: LogMethod = (given: object | string, message?: string) => {
    const isText = typeof given === 'string'
    const fields = isText ? bound : { ...bound, ...given }
    lines.push({ fields, message: isText ? given : message })
  }
  const child = (fields: object): RequestLog => recordingLog(lines, { ...bound, ...fields })
  return { trace: add, debug: add, info: add, warn: add, error: add, fatal: add, child }
}
