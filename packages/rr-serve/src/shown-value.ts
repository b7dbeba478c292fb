import { inspect } from 'node:util'

const MAX_LENGTH = 1000

/**
 * What was thrown though it is no Error, in one short text. Never throws itself: a value without a
 * prototype has no toString, and one may have a toString or a getter that throws.
 */
export function shownValue(value: unknown): string {
  const text = inspected(value)
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}...` : text
}

function inspected(value: unknown): string {
  try {
    return inspect(value, {
      depth: 1,
      breakLength: Number.POSITIVE_INFINITY,
      customInspect: false,
      maxArrayLength: 10,
      maxStringLength: MAX_LENGTH,
    })
  } catch {
    return `a value of type ${typeof value}`
  }
}
