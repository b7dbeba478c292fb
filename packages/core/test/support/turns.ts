/**
 * Lets everything run that is ready to: promises, ticks and what they lead to. Not a sleep: it
 * waits for turns of the event loop, never for time.
 */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
}

/** A promise with its ends in hand, for handlers that answer when the test says so. */
export function deferred<Value>(): PromiseWithResolvers<Value> {
  return Promise.withResolvers<Value>()
}
