import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package of its own that holds the servers from npm; not part of the default install. */
export const PEERS_FOLDER: string = fileURLToPath(new URL('../../peers/', import.meta.url))
/** Programs that need no more than the workspace. */
export const SERVERS_FOLDER: string = fileURLToPath(new URL('../../servers/', import.meta.url))
/** The root of the repository. */
export const ROOT_FOLDER: string = fileURLToPath(new URL('../../../', import.meta.url))

export type Probe = { readonly version: string } | { readonly missing: string }

export const NOT_INSTALLED: Probe = { missing: 'not installed; `npx pnpm bench:peers` installs it' }

/** The version of a package in the peers' folder. */
export function probePeer(name: string): Probe {
  try {
    return { version: versionIn(join(PEERS_FOLDER, 'node_modules', name)) }
  } catch {
    return NOT_INSTALLED
  }
}

/** @throws when there is no package in the folder */
export function versionIn(folder: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
    return String(manifest.version)
  }
  throw new Error(`${folder}: a package without a version`)
}

/**
 * A file of a package that a peer depends on, such as the one with the binary of this platform.
 *
 * @returns null where it is not installed
 */
export function resolveFromPeer(peer: string, request: string): string | null {
  try {
    // By way of the peer's real folder: pnpm keeps a package's dependencies beside that one only.
    const manifest = createRequire(PEERS_FOLDER).resolve(`${peer}/package.json`)
    return createRequire(manifest).resolve(request)
  } catch {
    return null
  }
}
