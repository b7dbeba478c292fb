import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { copyParts, envPairs, parseContainerfile, stagesOf } from '../scripts/containerfile.mjs'

const root = new URL('../', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8')
const there = (name: string): boolean => existsSync(new URL(name, root))

const instructions = parseContainerfile(read('Containerfile'))
const stages = stagesOf(instructions)
const image = stages.at(-1)?.instructions ?? []
const last = (name: string): (typeof image)[number] | undefined =>
  image.findLast((instruction) => instruction.name === name)

t.test('instructions, joined lines, flags and lists', async (t) => {
  t.strictSame(parseContainerfile('# x\n\nRUN a \\\n && b\nCOPY --from=y a b/\nCMD ["c", "d"]\n'), [
    { line: 3, name: 'RUN', flags: [], text: 'a  && b', list: null },
    { line: 5, name: 'COPY', flags: ['--from=y'], text: 'a b/', list: null },
    { line: 6, name: 'CMD', flags: [], text: '["c", "d"]', list: ['c', 'd'] },
  ])
  const [check] = parseContainerfile('HEALTHCHECK --interval=1s CMD ["e"]')
  t.match(check, { flags: ['--interval=1s'], list: ['e'] })
  const [env] = parseContainerfile('ENV A=1 B="two words"')
  t.strictSame(env && envPairs(env), [
    ['A', '1'],
    ['B', 'two words'],
  ])
  t.throws(() => parseContainerfile('run x'), /line 1 is no instruction/)
  t.throws(() => stagesOf(parseContainerfile('RUN x')), /before the first FROM/)
})

t.test('every stage is of the Node.js that the workspace runs on', async (t) => {
  const { devDependencies } = JSON.parse(read('package.json')) as {
    devDependencies: Record<string, string>
  }
  const [major] = (devDependencies['node'] ?? '').split('.')
  t.equal(stages.length, 3)
  for (const { base } of stages) t.equal(base, `docker.io/library/node:${major}-slim`)
})

t.test('the package manager is the one that the workspace pins', async (t) => {
  const { packageManager } = JSON.parse(read('package.json')) as { packageManager: string }
  const calls = instructions.filter(({ text }) => text.includes('pnpm@'))
  t.equal(calls.length, 2)
  for (const { text } of calls) {
    t.match(text, `npx --yes ${packageManager} install --frozen-lockfile --ignore-scripts`)
  }
})

t.test(
  'signals reach the command: a list, no shell, and of the name that is installed',
  async (t) => {
    t.strictSame(last('ENTRYPOINT')?.list, ['rr-serve'])
    t.equal(last('CMD'), undefined)
    const links = image.filter(({ name }) => name === 'RUN').map(({ text }) => text)
    t.match(links.join(' '), 'ln -s /rr/packages/rr-serve/bin/rr-serve.js /usr/local/bin/rr-serve')
    t.ok(lstatSync(new URL('packages/rr-serve/bin/rr-serve.js', root)).mode & 0o111, 'executable')
  },
)

t.test('it runs as a user that is not root, by number', async (t) => {
  const [, user, group] = /^(\d+):(\d+)$/.exec(last('USER')?.text ?? '') ?? []
  t.ok(Number(user) > 0)
  t.ok(Number(group) > 0)
  const order = image.map(({ name }) => name)
  t.ok(order.lastIndexOf('RUN') < order.indexOf('USER'), 'nothing is made after that as that user')
})

t.test(
  'the health check is the command itself, and its time limit beyond the own one',
  async (t) => {
    const check = last('HEALTHCHECK')
    t.strictSame(check?.list, ['rr-serve', '--healthcheck'])
    const timeout = check?.flags.find((flag) => flag.startsWith('--timeout='))
    t.ok(Number(/=(\d+)s$/.exec(timeout ?? '')?.[1]) > 3)
  },
)

t.test(
  'the port that is exposed is the default of the command, and labels are there',
  async (t) => {
    t.equal(last('EXPOSE')?.text, '8080')
    t.match(last('LABEL')?.text, /org\.opencontainers\.image\.title=".+"/)
  },
)

t.test('what is copied is there, and not ignored', async (t) => {
  const ignored = read('.containerignore').split('\n')
  const names = stages.map(({ name }) => name)
  for (const instruction of instructions.filter(({ name }) => name === 'COPY')) {
    const { sources, target, from } = copyParts(instruction)
    t.not(target, '')
    for (const source of sources) {
      if (from !== null) {
        t.ok(names.includes(from), `line ${instruction.line}: ${from}`)
        // A stage's folder of a package, or all of it.
        if (source !== '/rr') t.ok(there(dirname(source.replace('/rr/', ''))), source)
        continue
      }
      t.ok(there(source), `line ${instruction.line}: ${source}`)
      t.notOk(ignored.includes(source.split('/')[0] ?? ''), `${source} is ignored`)
    }
  }
  t.equal(readlinkSync(fileURLToPath(new URL('.dockerignore', root))), '.containerignore')
})

t.test('every folder that a package is published with is in the image', async (t) => {
  for (const name of ['core', 'router', 'middleware', 'listener', 'rr-serve']) {
    const { files } = JSON.parse(read(`packages/${name}/package.json`)) as { files: string[] }
    const folders = files.filter((file) => /^[a-z]+$/.test(file))
    t.ok(folders.includes('dist'))
    for (const folder of folders) {
      const path = `/rr/packages/${name}/${folder}`
      t.ok(
        image.some(({ text }) => text.endsWith(` ${path}`)),
        path,
      )
    }
  }
})

t.test('only instructions that the container test carries out', async (t) => {
  const builder = read('scripts/container-build.mjs')
  for (const { name } of instructions) {
    if (name !== 'FROM') t.match(builder, `case '${name}'`)
  }
})
