import { readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {...string} parts */
export const inRoot = (...parts) => join(root, ...parts)

const binDir = inRoot('node_modules', '.bin')

/** @param {string} name a command of an installed package, such as `tsc` */
export const bin = (name) => join(binDir, name)

/** The packages that are published; `bench` is not. Dependencies come before their users. */
export const publicPackages = ['core', 'router', 'middleware', 'listener', 'rr-serve'].map(
  (name) => ({
    name,
    dir: inRoot('packages', name),
  }),
)

/** The exact package manager, from `packageManager`: the one place that pins it. */
export function packageManagerSpec() {
  const { packageManager } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'))
  return String(packageManager)
}

/**
 * Settings that npm hands to its scripts and that would change what a package manager started
 * from one does: with `npm --prefix DIR start` a nested `npm install` would install into DIR.
 */
const LEAKING_SETTINGS = [
  'npm_config_prefix',
  'npm_config_local_prefix',
  'npm_config_global',
  'npm_config_workspace',
  'npm_config_workspaces',
  'npm_config_include_workspace_root',
  'npm_config_omit',
  'npm_config_include',
  'npm_config_production',
  'npm_config_ignore_scripts',
  'npm_config_dry_run',
  'npm_config_silent',
  'npm_config_loglevel',
  'NODE_ENV',
]

/** @param {NodeJS.ProcessEnv} [env] */
export function installEnv(env = process.env) {
  const clean = { ...env }
  for (const name of LEAKING_SETTINGS) delete clean[name]
  return clean
}

/** The environment in which `node` and the installed commands are this workspace's own. */
export function toolEnv(env = process.env) {
  return { ...env, PATH: binDir + delimiter + (env.PATH ?? '') }
}
