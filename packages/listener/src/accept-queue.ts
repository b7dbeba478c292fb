import { readFileSync } from 'node:fs'
import { socketCalls } from './socket-calls.ts'

/**
 * What becomes of connections that wait to be accepted when their worker is replaced or dies:
 * `kept`, its successor accepts them; `migrated`, the kernel hands them to the other workers;
 * `reset`, they are lost.
 */
export type AcceptQueueFate = 'kept' | 'migrated' | 'reset'

const MIGRATE_SETTING = '/proc/sys/net/ipv4/tcp_migrate_req'

/**
 * What it is on this system.
 *
 * @param canKeep whether the main thread can hold on to listening sockets
 * @param setting the file that tells of Linux's net.ipv4.tcp_migrate_req (5.14 and later)
 */
export function acceptQueueFate(
  canKeep: boolean = socketCalls() !== null,
  setting: string = MIGRATE_SETTING,
): AcceptQueueFate {
  if (canKeep) return 'kept'
  try {
    return readFileSync(setting, 'latin1').trim() === '0' ? 'reset' : 'migrated'
  } catch {
    // Another system, or an older kernel.
    return 'reset'
  }
}

/** What to do about it, or null where nothing is lost. */
export function acceptQueueAdvice(fate: AcceptQueueFate): string | null {
  if (fate !== 'reset') return null
  const setting = 'with the kernel setting net.ipv4.tcp_migrate_req=1 (Linux 5.14 or later)'
  return (
    'connections that wait to be accepted are reset when their worker is replaced; ' +
    `none is with Node.js 26.1 or later on Linux, or ${setting}`
  )
}
