import { execFile } from 'node:child_process'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Where system programs are that a user's PATH may leave out. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']
const VERSION_TIMEOUT_MS = 10_000

/** Every program of that name on the PATH, first one first, each file once. */
export function findExecutables(name: string): readonly string[] {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS]
  const found = folders.flatMap((folder) => {
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return statSync(file).isFile() ? [realpathSync(file)] : []
    } catch {
      return []
    }
  })
  return [...new Set(found)]
}

/** What a program prints on stdout and stderr, or null where it cannot be run. */
export async function outputOf(
  program: string,
  parameters: readonly string[],
): Promise<string | null> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...parameters], {
      timeout: VERSION_TIMEOUT_MS,
    })
    return stdout + stderr
  } catch {
    return null
  }
}
