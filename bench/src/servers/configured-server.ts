/**
 * What nginx and h2o have in common: a configuration made for each run, and no line on stdout that
 * says where they listen.
 */
import { mkdirSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { BenchServer } from '../model.ts'
import { ETAG_SECONDS } from '../scenarios/payloads.ts'

/** Files by name, written into a new folder, all as old as the page of `etag_304`. */
export function writeRunFolder(
  server: string,
  files: (folder: string) => Readonly<Record<string, string | Uint8Array>>,
): string {
  const folder = mkdtempSync(join(tmpdir(), `bench-${server}-`))
  for (const [name, content] of Object.entries(files(folder))) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    utimesSync(file, ETAG_SECONDS, ETAG_SECONDS)
  }
  return folder
}

/**
 * The shell becomes the server, so that the process that was started is the server itself and its
 * memory and time are what is measured; a child waits for the port, tells, and ends.
 */
const ANNOUNCE = `
(
  until (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do sleep 0.02; done
  echo "http://127.0.0.1:$PORT"
) &
exec "$@"
`

/** A command that prints the address once the port takes connections. */
export function announced(
  program: string,
  parameters: readonly string[],
  port: number,
  folder: string,
): Awaited<ReturnType<BenchServer['command']>> {
  return {
    program: 'bash',
    parameters: ['-c', ANNOUNCE, 'bash', program, ...parameters],
    env: { PORT: String(port) },
    temporary: [folder],
  }
}

/** The scenarios of these names, each not run for the same reason. */
export function withoutAll(
  reason: string,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, reason]))
}
