import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join, matchesGlob, relative, resolve } from 'node:path'
import { copyParts, envPairs, parseContainerfile, stagesOf } from './containerfile.mjs'
import { bin } from './project-paths.mjs'

/**
 * @typedef {object} Image
 * @property {string} root the folder that is to be its root
 * @property {string[]} entrypoint
 * @property {string[]} healthcheck
 * @property {string} user
 * @property {string} workdir
 * @property {Record<string, string>} env
 */

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Carries out the steps of the Containerfile, each stage in a copy of one Debian tree. */
export class ContainerBuild {
  /** @param {{ tree: string, work: string, context: string }} places */
  constructor({ tree, work, context }) {
    this.tree = tree
    this.work = work
    this.context = context
    this.ignored = readFileSync(join(context, '.containerignore'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    /** @type {Map<string, string>} roots of stages by name */
    this.roots = new Map()
  }

  /** @returns {Image} the last stage */
  run() {
    const stages = stagesOf(
      parseContainerfile(readFileSync(join(this.context, 'Containerfile'), 'utf8')),
    )
    /** @type {Image | undefined} */
    let image
    for (const [index, stage] of stages.entries()) {
      const root = join(this.work, `stage-${index}`)
      this.#copyTree(root)
      if (stage.name !== null) this.roots.set(stage.name, root)
      image = { root, entrypoint: [], healthcheck: [], user: '0', workdir: '/', env: { PATH } }
      for (const instruction of stage.instructions) this.#take(instruction, image)
    }
    if (image === undefined) throw new Error('the Containerfile has no stage')
    return image
  }

  /** @param {string} root */
  #copyTree(root) {
    must('cp', ['-a', this.tree, root])
    // What the base image brings: Node.js, npm, npx.
    copyFileSync(realpathSync(bin('node')), join(root, 'usr/local/bin/node'))
    chmodSync(join(root, 'usr/local/bin/node'), 0o755)
    const npm = dirname(dirname(realpathSync(must('which', ['npm']).trim())))
    cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), {
      recursive: true,
      dereference: true,
    })
    for (const name of ['npm', 'npx']) {
      symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name))
    }
    for (const file of ['/etc/resolv.conf', '/etc/hosts']) {
      if (existsSync(file)) copyFileSync(file, join(root, file))
    }
    // A machine behind a proxy of its own trusts that, too.
    cpSync('/etc/ssl/certs', join(root, 'etc/ssl/certs'), { recursive: true, dereference: true })
  }

  /**
   * @param {import('./containerfile.mjs').Instruction} instruction
   * @param {Image} image
   */
  #take(instruction, image) {
    const { name, text, list } = instruction
    console.log(`${name} ${text.slice(0, 100)}`)
    switch (name) {
      case 'RUN':
        this.#runStep(text, image)
        break
      case 'COPY':
        this.#copy(instruction, image)
        break
      case 'ENV':
        Object.assign(image.env, Object.fromEntries(envPairs(instruction)))
        break
      case 'WORKDIR':
        image.workdir = resolve(image.workdir, text)
        mkdirSync(join(image.root, image.workdir), { recursive: true })
        break
      case 'USER':
        image.user = text
        break
      case 'ENTRYPOINT':
        image.entrypoint = list ?? []
        break
      case 'HEALTHCHECK':
        image.healthcheck = list ?? []
        break
      case 'LABEL':
      case 'EXPOSE':
        break
      default:
        throw new Error(`${name} is not known here`)
    }
  }

  /**
   * @param {string} step
   * @param {Image} image
   */
  #runStep(step, image) {
    const script = `mount -t proc proc "$1/proc" && exec chroot "$1" /bin/sh -c "cd '$2' && $3"`
    // How to reach the registry is the machine's; npm reads these names itself.
    const proxies = Object.entries(process.env).filter(([name]) =>
      /^(https?_proxy|no_proxy|npm_config_registry|node_extra_ca_certs)$/i.test(name),
    )
    must(
      'unshare',
      ['--mount', '--pid', '--fork', 'sh', '-c', script, 'sh', image.root, image.workdir, step],
      { ...Object.fromEntries(proxies), ...image.env, CI: '1', HOME: '/tmp' },
    )
  }

  /**
   * @param {import('./containerfile.mjs').Instruction} instruction
   * @param {Image} image
   */
  #copy(instruction, image) {
    const { sources, target, from } = copyParts(instruction)
    const base = from === null ? this.context : this.roots.get(from)
    if (base === undefined) throw new Error(`no stage ${from} before line ${instruction.line}`)
    const place = join(image.root, resolve(image.workdir, target))
    for (const source of sources) {
      const path = join(base, source)
      const isFolder = statSync(path).isDirectory()
      // A folder's contents are copied, a file goes into a target that ends in a slash.
      const to = !isFolder && /(^\.?|\/)\/?$/.test(target) ? join(place, basename(source)) : place
      cpSync(path, to, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (file) => from !== null || !this.#isIgnored(relative(this.context, file)),
      })
    }
  }

  /** @param {string} path from the root of the context */
  #isIgnored(path) {
    return this.ignored.some((pattern) => matchesGlob(path, pattern))
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
function must(command, args, env = process.env) {
  const ended = spawnSync(command, args, { encoding: 'utf8', env, maxBuffer: 2 ** 26 })
  if (ended.status === 0) return ended.stdout
  throw new Error(
    `${command} ${args.at(-1)} failed:\n${ended.stdout}${ended.stderr}${ended.error ?? ''}`,
  )
}
