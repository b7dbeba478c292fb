import { inspect } from 'node:util'
import { ERROR_STATUS, type ErrorCode, RrError } from '@rr/core'

/**
 * An error as it travels between threads and stands in events: plain data, cut to a bounded size.
 * `deserializeError` makes an `Error` of it again.
 */
export interface SerializedError {
  /** Such as `TypeError`. */
  readonly name: string
  /** At most 8192 characters. */
  readonly message: string
  /** At most 16,384 characters; null where a value was thrown that is no error. */
  readonly stack: string | null
  /** Such as `ECONNRESET` or `RR_BIND_FAILED`; null where the error has none that is a string. */
  readonly code: string | null
  /** What led to it, up to four deep. */
  readonly cause: SerializedError | null
}

/** Clients can influence what handlers throw: bounds on what one error may carry. */
const MAX_MESSAGE_LENGTH = 8192
const MAX_STACK_LENGTH = 16_384
const MAX_CAUSES = 4

/** Takes an error, or whatever else was thrown, apart. Never throws. */
export function serializeError(thrown: unknown, causes: number = MAX_CAUSES): SerializedError {
  try {
    if (thrown instanceof Error) return serializeInstance(thrown, causes)
    return plain('Error', `a value was thrown that is not an error: ${show(thrown)}`)
  } catch {
    // Getters and proxies of an application can throw in turn.
    return plain('Error', 'an error was thrown that cannot be read')
  }
}

function show(thrown: unknown): string {
  return inspect(thrown, { depth: 1, maxArrayLength: 10, maxStringLength: 1024 })
}

function serializeInstance(error: Error, causes: number): SerializedError {
  const { name, message, stack, cause } = error
  const code: unknown = (error as NodeJS.ErrnoException).code
  return {
    name: String(name),
    message: String(message).slice(0, MAX_MESSAGE_LENGTH),
    stack: typeof stack === 'string' ? stack.slice(0, MAX_STACK_LENGTH) : null,
    code: typeof code === 'string' ? code : null,
    cause: cause === undefined || causes === 0 ? null : serializeError(cause, causes - 1),
  }
}

function plain(name: string, message: string): SerializedError {
  return {
    name,
    message: message.slice(0, MAX_MESSAGE_LENGTH),
    stack: null,
    code: null,
    cause: null,
  }
}

/** Builds an error again, with the stack that it had in its own thread. */
export function deserializeError(serialized: SerializedError): Error {
  const { name, message, stack, code, cause } = serialized
  const options = cause === null ? {} : { cause: deserializeError(cause) }
  const error = isErrorCode(code)
    ? new RrError(code, message, options)
    : Object.assign(new Error(message, options), code === null ? {} : { code })
  if (error.name !== name) define(error, 'name', name)
  if (stack !== null) define(error, 'stack', stack)
  return error
}

function isErrorCode(code: string | null): code is ErrorCode {
  return code !== null && Object.hasOwn(ERROR_STATUS, code)
}

function define(error: Error, property: 'name' | 'stack', value: string): void {
  Object.defineProperty(error, property, { value, configurable: true, writable: true })
}
