import t, { type Test } from 'tap'
import { affinityCount, grantedCpus } from '../src/cpu-count.ts'

type Tree = { [name: string]: string | Tree }

interface Machine {
  /** CPUs in the affinity list. */
  readonly allowed?: string
  readonly cgroup?: string
  readonly mountinfo?: string
  readonly fs?: Tree
}

const V2_MOUNT = '25 30 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n'
const V1_MOUNTS =
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n' +
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n' +
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n' +
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n'

function grant(t: Test, machine: Machine): ReturnType<typeof grantedCpus> {
  const { allowed, cgroup, mountinfo, fs } = machine
  const self: Tree = {}
  if (allowed !== undefined) self['status'] = `Name:\tnode\nCpus_allowed_list:\t${allowed}\nx:\t1\n`
  if (cgroup !== undefined) self['cgroup'] = cgroup
  if (mountinfo !== undefined) self['mountinfo'] = mountinfo
  const root = t.testdir({ proc: { self }, sys: { fs: { cgroup: fs ?? {} } } })
  return grantedCpus(root, 8)
}

t.test('without /proc, what the system says', async (t) => {
  t.strictSame(grant(t, {}), { count: 8, reason: 'the system has 8 CPUs' })
})

t.test('affinity', async (t) => {
  t.strictSame(grant(t, { allowed: '0-3' }), { count: 4, reason: 'affinity allows 4 CPUs' })
  t.strictSame(grant(t, { allowed: '5' }), { count: 1, reason: 'affinity allows 1 CPU' })
})

t.test('affinity lists', async (t) => {
  const lists = { '0': 1, '0-1': 2, '0-3,8-11': 8, '1,3,5': 3, '0-15,17': 17 }
  for (const [list, count] of Object.entries(lists)) {
    t.equal(affinityCount(`Cpus_allowed_list:\t${list}\n`), count, list)
  }
  for (const list of ['', '3-1', '-2', 'all', ',', '1,,2']) {
    t.equal(affinityCount(`Cpus_allowed_list:\t${list}\n`), null, JSON.stringify(list))
  }
  t.equal(affinityCount(null), null)
})

t.test(
  'version 2: the quota is rounded up, at least 1, at most what affinity allows',
  async (t) => {
    const cases: [max: string, count: number, reason: string][] = [
      ['200000 100000\n', 2, 'the cgroup quota is 2 CPUs, of 4 that affinity allows'],
      [
        '150000 100000\n',
        2,
        'the cgroup quota is 1.5 CPUs, rounded up to 2, of 4 that affinity allows',
      ],
      [
        '25000 100000\n',
        1,
        'the cgroup quota is 0.25 CPUs, rounded up to 1, of 4 that affinity allows',
      ],
      ['100000\n', 1, 'the cgroup quota is 1 CPU, of 4 that affinity allows'],
      ['3900000 100000\n', 4, 'affinity allows 4 CPUs'],
      ['max 100000\n', 4, 'affinity allows 4 CPUs'],
      ['', 4, 'affinity allows 4 CPUs'],
      ['-1 100000\n', 4, 'affinity allows 4 CPUs'],
      ['100000 0\n', 4, 'affinity allows 4 CPUs'],
      ['0 100000\n', 4, 'affinity allows 4 CPUs'],
      ['nonsense\n', 4, 'affinity allows 4 CPUs'],
    ]
    for (const [max, count, reason] of cases) {
      const fs = { app: { 'cpu.max': max } }
      const machine = { allowed: '0-3', cgroup: '0::/app\n', mountinfo: V2_MOUNT, fs }
      t.strictSame(grant(t, machine), { count, reason }, JSON.stringify(max))
    }
  },
)

t.test('version 2: the least quota on the way to the root counts', async (t) => {
  const fs = {
    'cpu.max': '800000 100000\n',
    slice: {
      'cpu.max': '200000 100000\n',
      app: { 'cpu.max': 'max 100000\n', inner: { 'cpu.max': '600000 100000\n' } },
    },
  }
  const machine = { allowed: '0-15', mountinfo: V2_MOUNT, fs }
  t.equal(grant(t, { ...machine, cgroup: '0::/slice/app/inner\n' }).count, 2)
  t.equal(grant(t, { ...machine, cgroup: '0::/\n' }).count, 8)
  t.equal(grant(t, { ...machine, cgroup: '0::/slice/gone\n' }).count, 2, 'a group without files')
})

t.test('version 2 in a container: only its own group is shown', async (t) => {
  const fs = { 'cpu.max': '300000 100000\n' }
  const cgroups = ['0::/\n', '0::/../../outside\n', '0::/kubepods/pod1/abc\n']
  for (const cgroup of cgroups) {
    t.equal(grant(t, { allowed: '0-7', cgroup, mountinfo: V2_MOUNT, fs }).count, 3, cgroup)
  }
  const mountinfo = V2_MOUNT.replace(' / /sys', ' /kubepods/pod1 /sys')
  const inner = { 'cpu.max': 'max\n', abc: { 'cpu.max': '100000 100000\n' } }
  t.equal(
    grant(t, { allowed: '0-7', cgroup: '0::/kubepods/pod1/abc', mountinfo, fs: inner }).count,
    1,
  )
  t.equal(grant(t, { allowed: '0-7', cgroup: '0::/elsewhere', mountinfo, fs }).count, 3)
})

t.test('version 1: quota and period are two files, -1 is none', async (t) => {
  const group = (quota: string, period: string): Tree => ({
    'cpu.cfs_quota_us': quota,
    'cpu.cfs_period_us': period,
  })
  const cgroup = '4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n0::/\n'
  const cases: [Tree, number][] = [
    [group('250000\n', '100000\n'), 3],
    [group('-1\n', '100000\n'), 8],
    [group('100000\n', ''), 8],
    [{ 'cpu.cfs_quota_us': '100000\n' }, 8],
  ]
  for (const [abc, count] of cases) {
    const fs = { 'cpu,cpuacct': { docker: { abc } } }
    t.equal(grant(t, { allowed: '0-7', cgroup, mountinfo: V1_MOUNTS, fs }).count, count)
  }
  const fs = {
    'cpu,cpuacct': { docker: { ...group('200000', '100000'), abc: group('-1', '100000') } },
  }
  t.equal(grant(t, { allowed: '0-7', cgroup, mountinfo: V1_MOUNTS, fs }).count, 2, 'nested')
})

t.test('half a CPU is one worker, and a burst grants no more than the quota', async (t) => {
  const fs = { app: { 'cpu.max': '50000 100000\n', 'cpu.max.burst': '400000\n' } }
  const machine = { allowed: '0-3', cgroup: '0::/app\n', mountinfo: V2_MOUNT, fs }
  t.strictSame(grant(t, machine), {
    count: 1,
    reason: 'the cgroup quota is 0.5 CPUs, rounded up to 1, of 4 that affinity allows',
  })
  const v1 = {
    'cpu,cpuacct': {
      app: {
        'cpu.cfs_quota_us': '50000\n',
        'cpu.cfs_period_us': '100000\n',
        'cpu.cfs_burst_us': '400000\n',
      },
    },
  }
  const older = { allowed: '0-3', cgroup: '4:cpu,cpuacct:/app\n', mountinfo: V1_MOUNTS, fs: v1 }
  t.equal(grant(t, older).count, 1)
})

t.test('the usual places stand in for mountinfo', async (t) => {
  const v2 = { app: { 'cpu.max': '100000 100000\n' } }
  t.equal(grant(t, { allowed: '0-7', cgroup: '0::/app\n', fs: v2 }).count, 1)
  const v1 = { cpu: { 'cpu.cfs_quota_us': '300000', 'cpu.cfs_period_us': '100000' } }
  t.equal(grant(t, { allowed: '0-7', cgroup: '1:cpu:/\n', fs: v1 }).count, 3)
})

t.test('malformed files are passed over', async (t) => {
  const machine = { cgroup: 'nonsense\n::\n0::\n9:x\n', mountinfo: 'a - b\n\n - \n1 2 3\n' }
  t.equal(grant(t, { allowed: '0-7', ...machine }).count, 8)
})

t.test('this machine', async (t) => {
  const { count, reason } = grantedCpus()
  t.ok(count >= 1)
  t.ok(reason.includes(String(count)), reason)
})
