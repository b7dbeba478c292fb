import { fileURLToPath } from 'node:url'

const FRAME = '    at '

/** What stands for a place that the stack does not show, as with `Error.stackTraceLimit` at 0. */
const UNKNOWN_PLACE = '(unknown place)'

/**
 * Where `callee` was called: `file:line:column` of the caller's frame. Costs a stack trace, so it is
 * for registration only.
 */
export function callPlace(callee: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, callee)
  // An application may install an Error.prepareStackTrace that makes something other than a string.
  return typeof holder.stack === 'string' ? placeInStack(holder.stack) : UNKNOWN_PLACE
}

/** The place that a V8 stack trace's first frame names. */
export function placeInStack(stack: string): string {
  const frame = stack.split('\n').find((line) => line.startsWith(FRAME))
  if (frame === undefined) return UNKNOWN_PLACE
  // `at name (place)`, or `at place` in the body of a module.
  const location = frame.endsWith(')')
    ? frame.slice(frame.indexOf(' (') + 2, -1)
    : frame.slice(FRAME.length).replace(/^async /, '')
  const [, url, position] = /^(file:.*?)(:\d+:\d+)$/.exec(location) ?? []
  if (url === undefined || position === undefined) return location
  try {
    return fileURLToPath(url) + position
  } catch {
    return location
  }
}
