import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runChild } from './child-process.mjs'

/**
 * Programs that tests run, and the Debian package of each.
 *
 * @type {readonly { program: string, debianPackage: string, isService?: true }[]}
 */
const PROGRAMS = [
  { program: 'curl', debianPackage: 'curl' },
  { program: 'wrk', debianPackage: 'wrk' },
  { program: 'haproxy', debianPackage: 'haproxy' },
  { program: 'nginx', debianPackage: 'nginx', isService: true },
  { program: 'openssl', debianPackage: 'openssl' },
  { program: 'chromium', debianPackage: 'chromium' },
]

/** Two slow mirrors' worth of patience; without a network apt-get gives up long before. */
const APT_TIMEOUT_MS = 180_000

/**
 * Installs the programs that are missing, where that is possible. Never fails: the tests that
 * need a program look for it themselves and skip with a reason.
 *
 * @param {(text: string) => void} say
 */
export async function ensureSystemPackages(say) {
  const absent = PROGRAMS.filter(({ program }) => !isOnPath(program))
  const missing = absent.filter((program) => program.isService === undefined || !startsServices())
  for (const { debianPackage } of absent.filter((program) => !missing.includes(program))) {
    say(`not installed: ${debianPackage} (its package would start a server here)`)
  }
  if (missing.length === 0) return
  const names = missing.map(({ debianPackage }) => debianPackage)
  const reason = whyImpossible() ?? (await install(names, say))
  if (reason !== undefined) {
    say(`not installed: ${names.join(', ')} (${reason}); the tests that need them are skipped`)
  }
}

function whyImpossible() {
  if (process.env['RR_NO_APT'] !== undefined) return 'RR_NO_APT is set'
  if (!isOnPath('apt-get')) return 'no apt-get on this machine'
  if (process.getuid?.() !== 0) return 'only root can install system packages'
  return undefined
}

/**
 * @param {string[]} names
 * @param {(text: string) => void} say
 */
async function install(names, say) {
  say(`installing ${names.join(', ')} with apt-get`)
  const steps = [
    ['update', '-qq'],
    ['install', '-qq', '--yes', '--no-install-recommends', ...names],
  ]
  for (const args of steps) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const ended = await runChild('apt-get', args, {
      env,
      stdio: 'capture',
      timeoutMs: APT_TIMEOUT_MS,
    })
    if (ended.code !== 0) {
      process.stderr.write(ended.output)
      return `apt-get ${args[0]} ended with ${ended.signal ?? `code ${ended.code}`}`
    }
  }
  return undefined
}

/** A package with a service starts it where systemd runs. */
function startsServices() {
  return existsSync('/run/systemd/system')
}

/** @param {string} program */
function isOnPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
