import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/**
 * @typedef {object} RunOptions
 * @property {string} source a tree of Debian's kind
 * @property {string} root the folder at which the tree becomes the root of the file system, read-only
 * @property {[from: string, to: string][]} mounts folders seen inside, read-only too
 * @property {string} user `uid:gid`
 * @property {string} workdir
 * @property {Record<string, string>} env
 * @property {string[]} command
 */

/** Why processes cannot be given mounts and process ids of their own here, if so. */
export function whyNoNamespaces() {
  if (process.platform !== 'linux') return 'namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'only root can make namespaces and change the root'
  const tried = spawnSync('unshare', [
    '--mount',
    '--pid',
    '--fork',
    'mount',
    '-t',
    'tmpfs',
    'x',
    '/mnt',
  ])
  if (tried.error !== undefined) return 'no unshare(1) on this machine'
  return tried.status === 0 ? undefined : 'the system does not permit namespaces here'
}

// Every step replaces the shell's process or ends: what is left as PID 1 is the command. The new root
// is made read-only after the mounts in it, and /tmp in it is as read-only as the rest.
const SCRIPT = `
set -e
source=$1; root=$2; user=$3; workdir=$4; mounts=$5; shift 5
mount --make-rprivate /
mount --rbind "$source" "$root"
for pair in $mounts; do
  mount --bind "\${pair%%=*}" "$root\${pair#*=}"
done
awk -v root="$root" 'index($2, root) == 1 { print $2 }' /proc/self/mounts | while read -r place; do
  mount -o remount,bind,ro "$place" || test "$place" != "$root"
done
mount -t proc proc "$root/proc"
exec chroot "$root" setpriv --reuid="\${user%%:*}" --regid="\${user##*:}" --clear-groups \\
  --no-new-privs --inh-caps=-all --bounding-set=-all \\
  /bin/sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"
`

/** A command in a container made by hand. */
export class ContainerRun {
  output = ''
  /** @type {Set<() => void>} */
  #waiting = new Set()

  /** @param {RunOptions} options */
  constructor({ source, root, mounts, user, workdir, env, command }) {
    const pairs = mounts.map(([from, to]) => `${from}=${to}`).join(' ')
    this.child = spawn(
      'unshare',
      [
        '--mount',
        '--pid',
        '--fork',
        'sh',
        '-c',
        SCRIPT,
        'sh',
        source,
        root,
        user,
        workdir,
        pairs,
        ...command,
      ],
      { env, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text
        this.#wake()
      })
    }
    /** @type {Promise<number | null>} 128 and the signal's number where a signal ended it */
    this.exit = once(this.child, 'close').then(([code]) => {
      this.#wake()
      return code
    })
  }

  #wake() {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /**
   * Resolves with the first match in what was printed.
   *
   * @param {RegExp} pattern
   * @returns {Promise<RegExpExecArray>}
   */
  async printed(pattern) {
    let hasEnded = false
    void this.exit.then(() => (hasEnded = true))
    for (;;) {
      const match = pattern.exec(this.output)
      if (match !== null) return match
      if (hasEnded) throw new Error(`ended without ${pattern}:\n${this.output}`)
      await new Promise((resolve) => this.#waiting.add(() => resolve(undefined)))
    }
  }

  /** The process that is PID 1 within, by its id outside. */
  get hostPid() {
    const { pid } = this.child
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
  }

  /** @param {NodeJS.Signals} signal */
  kill(signal) {
    process.kill(this.hostPid, signal)
  }

  /**
   * Runs a program in the same namespaces.
   *
   * @param {string[]} command
   * @param {NodeJS.ProcessEnv} env
   */
  exec(command, env) {
    const pid = String(this.hostPid)
    const args = ['--target', pid, '--mount', '--pid', '--root', '--wd', '--', ...command]
    return spawnSync('nsenter', args, { encoding: 'utf8', env })
  }

  /** All that is left inside ends with PID 1. `--kill-child` does not survive the change of user. */
  end() {
    if (this.child.exitCode === null && this.child.signalCode === null) this.kill('SIGKILL')
  }
}
