import t, { type Test } from 'tap'
import { cgroupMemoryBytes, memoryShortage } from '../src/memory-limit.ts'

type Tree = { [name: string]: string | Tree }

const GIB = 2 ** 30
const V2_MOUNT = '25 30 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n'
const V1_MOUNTS =
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n' +
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n'
/** What version 1 has where there is no limit. */
const V1_NONE = '9223372036854771712\n'

function machine(t: Test, self: Tree, cgroup: Tree): string {
  return t.testdir({ proc: { self }, sys: { fs: { cgroup } } })
}

t.test('version 2: memory.max, the least on the way to the root, max for none', async (t) => {
  const self = { cgroup: '0::/slice/app\n', mountinfo: V2_MOUNT }
  const of = (own: string, slice: string, root = 'max\n'): number | null =>
    cgroupMemoryBytes(
      machine(t, self, {
        'memory.max': root,
        slice: { 'memory.max': slice, app: { 'memory.max': own } },
      }),
    )
  t.equal(of('max\n', 'max\n'), null)
  t.equal(of('1073741824\n', 'max\n'), GIB)
  t.equal(of('max\n', '1073741824\n'), GIB)
  t.equal(of('2147483648\n', '1073741824\n'), GIB)
  t.equal(of('1073741824\n', '2147483648\n', '536870912\n'), GIB / 2)
  for (const text of ['', '0\n', '-1\n', 'nonsense\n', '1.5\n']) t.equal(of(text, ''), null, text)
})

t.test('version 2 in a container: only its own group is shown', async (t) => {
  for (const cgroup of ['0::/\n', '0::/../../outside\n', '0::/kubepods/pod1\n']) {
    const root = machine(t, { cgroup, mountinfo: V2_MOUNT }, { 'memory.max': '1073741824\n' })
    t.equal(cgroupMemoryBytes(root), GIB, cgroup)
  }
})

t.test('version 1: memory.limit_in_bytes of the memory hierarchy, nested', async (t) => {
  const self = { cgroup: '4:cpu,cpuacct:/other\n3:memory:/docker/abc\n', mountinfo: V1_MOUNTS }
  const of = (abc: string, docker: string): number | null =>
    cgroupMemoryBytes(
      machine(t, self, {
        memory: {
          'memory.limit_in_bytes': V1_NONE,
          docker: { 'memory.limit_in_bytes': docker, abc: { 'memory.limit_in_bytes': abc } },
        },
      }),
    )
  t.equal(of(V1_NONE, V1_NONE), null)
  t.equal(of('1073741824\n', V1_NONE), GIB)
  t.equal(of(V1_NONE, '1073741824\n'), GIB)
})

t.test('without cgroups there is no limit', async (t) => {
  t.equal(cgroupMemoryBytes(t.testdir({})), null)
  t.equal(memoryShortage(64, 0, t.testdir({}), 4 * GIB), null)
})

t.test('a shortage begins where the heaps of all workers are more than is granted', async (t) => {
  const self = { cgroup: '0::/\n', mountinfo: V2_MOUNT }
  const root = machine(t, self, { 'memory.max': '1073741824\n' })
  t.equal(memoryShortage(4, 255, root), null)
  t.equal(memoryShortage(4, 256, root), null)
  t.equal(
    memoryShortage(4, 257, root),
    'the cgroup grants 1024 MiB of memory, and the heaps of 4 workers may take 1028: past the first ' +
      'the kernel kills the process, not a worker; a workerHeapMb of 192 would fit',
  )
  t.equal(memoryShortage(2, 0, root, GIB / 2), null, "V8's own limit")
  t.match(memoryShortage(2, 0, root, GIB / 2 + 1), 'a workerHeapMb of 384 would fit')
})
