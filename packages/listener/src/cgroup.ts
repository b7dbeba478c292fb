import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a cgroup limits. */
export type Controller = 'cpu' | 'memory'

/**
 * The least limit from this process's cgroup up to the root, or null for none.
 *
 * @param root where proc/ and sys/ are; tests give a folder of their own
 * @param read the limit of one group, by its version and folder; null for none
 */
export function leastInCgroups(
  root: string,
  controller: Controller,
  read: (version: 1 | 2, folder: string) => number | null,
): number | null {
  const paths = readText(root, 'proc/self/cgroup')
  if (paths === null) return null
  const mounts = parseMounts(readText(root, 'proc/self/mountinfo') ?? '', controller)
  let least: number | null = null
  for (const line of paths.split('\n')) {
    const group = parseGroup(line, controller)
    if (group === null) continue
    for (const folder of foldersUp(mounts[group.version], group.path)) {
      const limit = read(group.version, folder)
      if (limit !== null && (least === null || limit < least)) least = limit
    }
  }
  return least
}

interface Mount {
  /** Where the hierarchy is mounted, and which of its groups is at that place. */
  readonly folder: string
  readonly group: string
}
type Mounts = { 1: Mount; 2: Mount }

/** Finds the cgroup mounts in mountinfo (proc_pid_mountinfo(5)); the usual places without it. */
function parseMounts(mountinfo: string, controller: Controller): Mounts {
  const mounts: Mounts = {
    1: { folder: `/sys/fs/cgroup/${controller}`, group: '/' },
    2: { folder: '/sys/fs/cgroup', group: '/' },
  }
  for (const line of mountinfo.split('\n')) {
    const [place = '', system = ''] = line.split(' - ')
    const [, , , group, folder] = place.split(' ')
    const [type, , options = ''] = system.split(' ')
    if (group === undefined || folder === undefined) continue
    if (type === 'cgroup2') mounts[2] = { folder, group }
    else if (type === 'cgroup' && options.split(',').includes(controller))
      mounts[1] = { folder, group }
  }
  return mounts
}

/** A line of /proc/self/cgroup: `0::/path` for version 2, `4:cpu,cpuacct:/path` for version 1. */
function parseGroup(line: string, controller: Controller): { version: 1 | 2; path: string } | null {
  const [, hierarchy, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? []
  if (path === undefined || controllers === undefined) return null
  if (hierarchy === '0' && controllers === '') return { version: 2, path }
  return controllers.split(',').includes(controller) ? { version: 1, path } : null
}

/** The folders of a group and of all above it that the mount shows. */
function foldersUp(mount: Mount, path: string): string[] {
  const parts = relativeGroup(mount.group, path)
    .split('/')
    .filter((part) => part !== '')
  return Array.from({ length: parts.length + 1 }, (_, count) =>
    join(mount.folder, ...parts.slice(0, parts.length - count)),
  )
}

/** In a container the mount shows only a part of the hierarchy, and the path may lead out of it. */
function relativeGroup(mounted: string, path: string): string {
  if (path.includes('/..')) return ''
  if (mounted === '/') return path
  return path === mounted || path.startsWith(`${mounted}/`) ? path.slice(mounted.length) : ''
}

/** A file's text, or null where it cannot be read. */
export function readText(root: string, ...path: string[]): string | null {
  try {
    return readFileSync(join(root, ...path), 'utf8')
  } catch {
    return null
  }
}
