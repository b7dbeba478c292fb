import { type Stats, statSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { RrError } from '@rr/core'

/** What an application's file may end in. */
export const APPLICATION_EXTENSIONS: readonly string[] = [
  '.ts',
  '.mts',
  '.cts',
  '.js',
  '.mjs',
  '.cjs',
]

/**
 * Finds the application's file.
 *
 * @param given a path, relative to the working directory, or a file URL
 * @throws RrError RR_APPLICATION_FAILED, naming the path, when there is no such file, or it is not
 *   one that can be an application
 */
export function resolveApplicationPath(given: string): URL {
  const url = given.startsWith('file:') ? parseFileUrl(given) : pathToFileURL(given)
  const path = fileURLToPath(url)
  const stats = readStats(path)
  if (stats === undefined) throw failed(`there is no file ${path}`)
  if (stats.isDirectory()) {
    throw failed(`${path} is a directory; name the application's file in it`)
  }
  if (!stats.isFile()) throw failed(`${path} is not a regular file`)
  const extension = extname(path)
  if (!APPLICATION_EXTENSIONS.includes(extension)) {
    const found = extension === '' ? 'no extension' : `the extension ${extension}`
    const known = APPLICATION_EXTENSIONS.join(', ')
    throw failed(`${path} has ${found}; an application is a file with ${known}`)
  }
  return url
}

function readStats(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (cause) {
    throw failed(`${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, cause)
  }
}

function parseFileUrl(given: string): URL {
  try {
    const url = new URL(given)
    fileURLToPath(url)
    return url
  } catch (cause) {
    throw failed(`${given} is not a file URL of this machine`, cause)
  }
}

function failed(message: string, cause?: unknown): RrError {
  return new RrError('RR_APPLICATION_FAILED', message, cause === undefined ? {} : { cause })
}
