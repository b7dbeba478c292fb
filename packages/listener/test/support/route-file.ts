import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'
import { COUNTERS, type Counter } from './shared-counters.ts'

/** A module in a folder of its own, which a test writes and writes again. */
export class RouteFile {
  readonly url: string
  readonly #path: string

  constructor(t: Test, name = 'routes.ts') {
    const folder = mkdtempSync(join(tmpdir(), 'rr-routes-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    this.#path = join(folder, name)
    this.url = pathToFileURL(this.#path).href
  }

  write(source: string): void {
    writeFileSync(this.#path, source)
  }
}

/** Waits in a module without imports until a test has raised a counter. */
export function waitFor(counter: Counter): string {
  const cell = `new Int32Array(globalThis.rrCounters), ${COUNTERS.indexOf(counter)}`
  return `while (Atomics.load(${cell}) === 0) await new Promise((go) => setTimeout(go, 5))`
}

/**
 * Routes that say which they are, and which worker answers: `/slow` when `released` is raised, and
 * `/exit` ends the worker.
 *
 * @param before runs at the top of the module
 */
export function routesSource(version: string, before = ''): string {
  return `${before}
const answer = (): object => ({
  status: 200,
  body: '${version} of worker ' + (globalThis as any).rrWorkerId,
})
export default async ({ path }: { path: string }): Promise<object> => {
  if (path === '/exit') setImmediate(() => process.exit(3))
  if (path === '/slow') ${waitFor('released').replace('globalThis', '(globalThis as any)')}
  return answer()
}
`
}
