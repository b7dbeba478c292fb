import { readFileSync } from 'node:fs'

/** The version in package.json. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

/** The text of `--version`. */
export function versionText(): string {
  return `rr-serve ${packageVersion()}, Node.js ${process.versions.node}`
}
