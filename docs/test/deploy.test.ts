// The files of docs/deploy, each checked by the program that reads it.

import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { findProgram, missingPrograms } from '../../test/support/programs.ts'
import { replaced } from '../../test/support/replaced.ts'
import { manifestProblems } from './support/kubernetes-schema.ts'

t.setTimeout(300_000)

const DEPLOY = new URL('../deploy/', import.meta.url)
const MANIFESTS = globSync('kubernetes/*.yaml', { cwd: DEPLOY })

const read = (name: string): string => readFileSync(new URL(name, DEPLOY), 'utf8')

t.test('Kubernetes', async (t) => {
  t.equal(MANIFESTS.length, 4)
  for (const name of MANIFESTS) {
    t.same(await manifestProblems(read(name)), [], `${name} is what the schemas say`)
  }

  const deployment = read('kubernetes/deployment.yaml')
  const broken = {
    'a field that does not exist': ['readinessProbe:', 'readynessProbe:'],
    'a value of the wrong type': [
      'terminationGracePeriodSeconds: 45',
      'terminationGracePeriodSeconds: soon',
    ],
    'a value that the field does not take': ['type: RollingUpdate', 'type: Rolling'],
    'a field that is missing': ['        - name: web\n          image:', '        - image:'],
    'an unknown kind': ['kind: Deployment', 'kind: Deploy'],
    'the same field twice': ['      automountServiceAccountToken: false', '      containers: []'],
  } as const
  for (const [title, [from, to]] of Object.entries(broken)) {
    const problems = await manifestProblems(replaced(deployment, { [from]: to }))
    t.not(problems.length, 0, `${title} is refused: ${problems[0]?.slice(0, 160)}`)
  }
})

t.test('the manifests fit together', async (t) => {
  const { spec } = parse(read('kubernetes/deployment.yaml')) as DeploymentManifest
  const pod = spec.template.spec
  const [container] = pod.containers
  const variable = (name: string): number =>
    Number.parseInt(container.env.find((each) => each.name === name)?.value ?? '', 10)
  const drain = variable('RR_DRAIN_DELAY') + variable('RR_DRAIN_TIMEOUT') + TEARDOWN_SECONDS
  t.ok(pod.terminationGracePeriodSeconds > drain, 'a drain ends before the pod is killed')
  const { periodSeconds, failureThreshold } = container.readinessProbe
  t.ok(
    variable('RR_DRAIN_DELAY') > periodSeconds * failureThreshold,
    'the probe has failed before accepting stops',
  )
  const { requests, limits } = container.resources
  const heapsMb = Math.ceil(Number(requests.cpu)) * variable('RR_WORKER_HEAP')
  t.match(limits.memory, /^\d+Mi$/)
  t.ok(heapsMb + REST_MB <= Number.parseInt(limits.memory, 10), 'the heaps fit into the memory')
  const labels = spec.template.metadata.labels
  const selectors = ['service', 'pod-disruption-budget'].map((name) => {
    const manifest = parse(read(`kubernetes/${name}.yaml`)) as { spec: { selector: object } }
    const { selector } = manifest.spec
    return 'matchLabels' in selector ? selector.matchLabels : selector
  })
  t.same([spec.selector.matchLabels, ...selectors], [labels, labels, labels])
})

t.test('systemd', { skip: missingPrograms('systemd-analyze') }, async (t) => {
  const folder = temporaryFolder(t)
  const unit = join(folder, 'rr.service')
  // Any program will do, but not one with a space in its path, as a checkout may have.
  const here = { '/usr/local/bin/rr-serve': '/bin/sh' }
  writeFileSync(unit, replaced(read('systemd/rr.service'), here))
  t.same(await judge('systemd-analyze', ['verify', unit]), { code: 0, output: '' })
  writeFileSync(
    unit,
    replaced(read('systemd/rr.service'), { ...here, 'KillMode=mixed': 'KillMod=mixed' }),
  )
  const { output } = await judge('systemd-analyze', ['verify', unit])
  t.match(output, /Unknown key (name )?'KillMod'/)

  const seconds = (name: RegExp): number => Number(name.exec(read('systemd/rr.service'))?.[1])
  const drain = seconds(/RR_DRAIN_DELAY=(\d+)s/) + seconds(/RR_DRAIN_TIMEOUT=(\d+)s/)
  t.ok(seconds(/TimeoutStopSec=(\d+)/) > drain + TEARDOWN_SECONDS, 'a drain ends before the kill')
})

t.test('HAProxy', { skip: missingPrograms('haproxy', 'openssl') }, async (t) => {
  const folder = temporaryFolder(t)
  const certificates = join(folder, 'certs')
  mkdirSync(certificates)
  await createCertificate(join(certificates, 'a.pem'), join(certificates, 'a.pem.key'))
  for (const name of globSync('haproxy/*.cfg', { cwd: DEPLOY })) {
    const text = read(name).replace('/etc/haproxy/certs/', `${certificates}/`)
    const file = join(folder, 'haproxy.cfg')
    writeFileSync(file, text)
    t.match(await judge('haproxy', ['-c', '-f', file]), { code: 0 }, name)
    writeFileSync(file, replaced(text, { 'retries 3': 'retrys 3' }))
    const refused = { code: 1, output: /unknown keyword 'retrys'/ }
    t.match(await judge('haproxy', ['-c', '-f', file]), refused)
  }
})

t.test('nginx', { skip: missingPrograms('nginx', 'openssl') }, async (t) => {
  const folder = temporaryFolder(t)
  await createCertificate(join(folder, 'example.com.pem'), join(folder, 'example.com.key'))
  const check = async (text: string): Promise<Verdict> => {
    const file = join(folder, 'nginx.conf')
    writeFileSync(file, text)
    const args = ['-t', '-p', folder, '-c', file, '-e', join(folder, 'error.log')]
    return judge('nginx', args)
  }
  for (const name of globSync('nginx/*.conf', { cwd: DEPLOY })) {
    const text = read(name)
      .replaceAll('/etc/nginx/certs/', `${folder}/`)
      .replaceAll('/var/log/nginx/', `${folder}/`)
      .replaceAll('/run/nginx.pid', `${folder}/nginx.pid`)
    t.match(await check(text), { code: 0 }, name)
    const wrong = replaced(text, {
      'proxy_next_upstream error timeout': 'proxy_next_upstream error never',
    })
    t.match(await check(wrong), { code: 1, output: /invalid value "never"/ })
  }
})

/** What a drain may take past its timeout: packages/listener/README.md. */
const TEARDOWN_SECONDS = 3
/** What the process takes besides the heaps of its workers: docs/deploy/kubernetes.md. */
const REST_MB = 150

interface DeploymentManifest {
  readonly spec: {
    readonly selector: { readonly matchLabels: object }
    readonly template: {
      readonly metadata: { readonly labels: object }
      readonly spec: {
        readonly terminationGracePeriodSeconds: number
        readonly containers: readonly [
          {
            readonly env: readonly { readonly name: string; readonly value?: string }[]
            readonly readinessProbe: { periodSeconds: number; failureThreshold: number }
            readonly resources: { requests: { cpu: string }; limits: { memory: string } }
          },
        ]
      }
    }
  }
}

function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'rr-deploy-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

interface Verdict {
  /** The exit code; 0 is what a program says of files that it takes. */
  readonly code: number
  readonly output: string
}

async function judge(program: string, args: readonly string[]): Promise<Verdict> {
  const run = promisify(execFile)(findProgram(program) ?? program, args)
  const ended = run.then((printed) => ({ code: 0, ...printed }))
  const { code, stdout, stderr } = await ended.catch((error: Awaited<typeof ended>) => error)
  return { code, output: `${stdout}${stderr}` }
}

async function createCertificate(certificate: string, key: string): Promise<void> {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  const files = ['-keyout', key, '-out', certificate]
  const args = ['req', '-x509', ...curve, ...files, '-subj', '/CN=localhost', '-days', '1']
  await promisify(execFile)('openssl', args)
}
