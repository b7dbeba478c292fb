import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, type ContextManager, ROOT_CONTEXT } from '@opentelemetry/api'

/**
 * OpenTelemetry's active context, kept in a storage that a diagnostics channel can be bound to. The
 * manager that comes with the SDK keeps its storage to itself.
 */
export class ContextStorage implements ContextManager {
  readonly storage: AsyncLocalStorage<Context> = new AsyncLocalStorage()

  active(): Context {
    return this.storage.getStore() ?? ROOT_CONTEXT
  }

  with<Args extends unknown[], Run extends (...args: Args) => ReturnType<Run>>(
    context: Context,
    run: Run,
    thisArg?: ThisParameterType<Run>,
    ...args: Args
  ): ReturnType<Run> {
    return this.storage.run(context, () => run.apply(thisArg, args))
  }

  bind<Target>(context: Context, target: Target): Target {
    if (typeof target !== 'function') return target
    const { storage } = this
    return function (this: unknown, ...args: unknown[]) {
      return storage.run(context, () => Reflect.apply(target, this, args))
    } as Target
  }

  enable(): this {
    return this
  }

  disable(): this {
    this.storage.disable()
    return this
  }
}
