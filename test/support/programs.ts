import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where system programs are that a user's PATH may leave out. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin']

/** The path of a program, or null where it is not installed. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS]
  for (const folder of folders) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this one.
    }
  }
  return null
}

/** A reason to skip, or false when all of the programs are installed. */
export function missingPrograms(...names: string[]): string | false {
  const missing = names.filter((name) => findProgram(name) === null)
  return missing.length > 0 && `${missing.join(' and ')} not installed`
}
