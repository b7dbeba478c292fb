import { DURATION_BOUNDS } from '../duration-buckets.ts'
import type { MetricsBlock } from '../metrics-block.ts'
import type { ServerInfo, WorkerInfo } from '../server-info.ts'
import { type AdminSource, type ThreadFigures, threadFigures } from './admin-source.ts'
import { Exposition, type ExpositionFormat } from './exposition.ts'
import { readiness } from './health.ts'
import { readProcessFacts, VERSION } from './process-facts.ts'

const PHASES = ['stopped', 'starting', 'accepting', 'draining'] as const
const GC_KINDS = ['Minor', 'Major', 'Incremental', 'Other'] as const

/** The page `/metrics`. */
export function metricsText(source: AdminSource, format: ExpositionFormat): string {
  const page = new Exposition(format)
  const info = source.info()
  page.add('rr_build_info', { version: VERSION, node: process.versions.node }, 1)
  addServer(page, info)
  for (const worker of info.workers) {
    addCounts(page, worker)
    addWorker(page, worker)
    if (source.metrics !== null) {
      addThread(page, worker, threadFigures(source.metrics, worker, source.seatsOf(worker.id)))
    }
  }
  if (source.metrics !== null) addDurations(page, source.metrics)
  addCompute(page, info)
  addProcess(page)
  return page.toString()
}

function addServer(page: Exposition, info: ServerInfo): void {
  for (const status of PHASES) page.add('rr_status', { status }, Number(info.status === status))
  page.add('rr_ready', {}, Number(readiness(info).isWell))
  page.add('rr_uptime_seconds', {}, info.uptimeMs / 1000)
  page.add('rr_max_connections', {}, info.maxConnections)
}

function addCounts(page: Exposition, worker: WorkerInfo): void {
  const labels = { worker: worker.id }
  page.add('rr_connections', labels, worker.connections)
  page.add('rr_connections_accepted_total', labels, worker.connectionsAccepted)
  page.add('rr_connections_shed_total', labels, worker.connectionsShed)
  addRefusals(page, worker)
  page.add('rr_requests_total', labels, worker.requests)
  page.add('rr_requests_in_flight', labels, worker.inFlight)
  page.add('rr_requests_held', labels, worker.requestsHeld)
  page.add('rr_request_shed_ratio', labels, worker.shedFraction)
  page.add('rr_received_bytes_total', labels, worker.bytesIn)
  page.add('rr_sent_bytes_total', labels, worker.bytesOut)
}

/** By the causes that `onRefusal` knows. */
function addRefusals(page: Exposition, { id, rejections }: WorkerInfo): void {
  const connections = {
    connections: rejections.connections,
    'client-connections': rejections.clientConnections,
    'proxy-protocol': rejections.proxyProtocol,
  }
  for (const [cause, count] of Object.entries(connections)) {
    page.add('rr_connections_refused_total', { worker: id, cause }, count)
  }
  for (const [status, count] of Object.entries(rejections.requests)) {
    page.add('rr_requests_refused_total', { worker: id, cause: 'protocol', status }, count)
  }
  for (const [limit, count] of Object.entries(rejections.limits)) {
    page.add('rr_limits_reached_total', { worker: id, limit }, count)
  }
  const { inFlight, workerInFlight, loopDelay } = rejections.shed
  const shed = {
    'requests-in-flight': inFlight,
    'worker-requests-in-flight': workerInFlight,
    'loop-delay': loopDelay,
  }
  for (const [cause, count] of Object.entries(shed)) {
    page.add('rr_requests_refused_total', { worker: id, cause, status: '503' }, count)
  }
}

function addWorker(page: Exposition, worker: WorkerInfo): void {
  const labels = { worker: worker.id }
  const isUp = worker.phase === 'accepting' && !worker.isStalled
  page.add('rr_worker_up', labels, Number(isUp))
  for (const phase of PHASES) {
    page.add('rr_worker_phase', { ...labels, phase }, Number(worker.phase === phase))
  }
  page.add('rr_worker_stalled', labels, Number(worker.isStalled))
  if (worker.heartbeatAgeMs !== null) {
    page.add('rr_worker_heartbeat_age_seconds', labels, worker.heartbeatAgeMs / 1000)
  }
  page.add('rr_worker_leaving', labels, worker.leaving)
  page.add('rr_worker_restarts_total', labels, Math.max(0, worker.generation - 1))
}

function addThread(page: Exposition, worker: WorkerInfo, figures: ThreadFigures): void {
  const labels = { worker: worker.id }
  const { now, total, loopDelayPeakMs } = figures
  const seconds = (field: Parameters<typeof total>[0]): number => total(field) / 1000
  page.add('rr_worker_event_loop_active_seconds_total', labels, seconds('loopActiveMs'))
  page.add('rr_worker_event_loop_idle_seconds_total', labels, seconds('loopIdleMs'))
  page.add('rr_worker_cpu_seconds_total', { ...labels, mode: 'user' }, seconds('cpuUserMs'))
  page.add('rr_worker_cpu_seconds_total', { ...labels, mode: 'system' }, seconds('cpuSystemMs'))
  for (const name of GC_KINDS) {
    const kind = name.toLowerCase()
    page.add('rr_worker_gc_pauses_total', { ...labels, kind }, total(`gc${name}Count`))
    page.add('rr_worker_gc_pause_seconds_total', { ...labels, kind }, seconds(`gc${name}Ms`))
  }
  if (now === null) return
  page.add('rr_worker_event_loop_delay_mean_seconds', labels, now.loopDelayMeanMs / 1000)
  page.add('rr_worker_event_loop_delay_p99_seconds', labels, now.loopDelayP99Ms / 1000)
  page.add('rr_worker_event_loop_delay_max_seconds', labels, loopDelayPeakMs / 1000)
  page.add('rr_worker_heap_used_bytes', labels, now.heapUsedBytes)
  page.add('rr_worker_heap_limit_bytes', labels, now.heapLimitBytes)
  page.add('rr_worker_external_bytes', labels, now.externalBytes)
}

function addDurations(page: Exposition, metrics: MetricsBlock): void {
  for (const { route, method, status, counts, sumMs } of metrics.series()) {
    const labels = { route, method, status }
    page.addHistogram('rr_request_duration_seconds', labels, DURATION_BOUNDS, counts, sumMs / 1000)
  }
}

function addCompute(page: Exposition, { compute }: ServerInfo): void {
  page.add('rr_compute_queued', {}, compute.queued)
  page.add('rr_compute_running', {}, compute.running)
  for (const outcome of ['completed', 'cancelled', 'rejected'] as const) {
    page.add('rr_compute_ended_total', { outcome }, compute[outcome])
  }
}

function addProcess(page: Exposition): void {
  const facts = readProcessFacts()
  page.add('rr_process_cpu_seconds_total', { mode: 'user' }, facts.cpuUserSeconds)
  page.add('rr_process_cpu_seconds_total', { mode: 'system' }, facts.cpuSystemSeconds)
  page.add('rr_process_resident_memory_bytes', {}, facts.residentBytes)
  if (facts.openFds !== null) page.add('rr_process_open_fds', {}, facts.openFds)
  if (facts.maxFds !== null) page.add('rr_process_max_fds', {}, facts.maxFds)
  page.add('rr_process_start_time_seconds', {}, facts.startTimeSeconds)
}
