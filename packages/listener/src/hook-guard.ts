import { serializeError } from './serialized-error.ts'

/**
 * Wraps a function that users gave: when it throws, or returns a promise that rejects, `onFailure`
 * is told, where it would otherwise end the thread with all its connections.
 */
export function guarded<Args extends readonly unknown[]>(
  hook: (...args: Args) => unknown,
  onFailure: (error: unknown) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      const result = hook(...args)
      if (isThenable(result)) void Promise.resolve(result).catch(onFailure)
    } catch (error) {
      onFailure(error)
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** Guards hooks and warns of the first failure of each: one that fails does so at every request. */
export class HookGuard {
  readonly #warn: (code: 'RR_HOOK_FAILED', message: string) => void
  readonly #failed: Set<string> = new Set()

  constructor(warn: (code: 'RR_HOOK_FAILED', message: string) => void) {
    this.#warn = warn
  }

  guard<Args extends readonly unknown[]>(
    name: string,
    hook: (...args: Args) => unknown,
  ): (...args: Args) => void {
    return guarded(hook, (error) => this.#report(name, error))
  }

  #report(name: string, error: unknown): void {
    if (this.#failed.has(name)) return
    this.#failed.add(name)
    this.#warn('RR_HOOK_FAILED', `${name} failed: ${describeThrown(error)}`)
  }
}

/** Whatever was thrown in one line, also where converting it to a string throws. */
export function describeThrown(thrown: unknown): string {
  const { name, message } = serializeError(thrown)
  return `${name}: ${message}`
}
