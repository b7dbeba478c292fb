/**
 * Every metric, in the order of the page. Units are those that Prometheus asks for: seconds and
 * bytes. Counts go on when a worker is replaced. docs/guide/observability.md has this table too,
 * and a test holds it to this one.
 */
export const METRICS = {
  rr_build_info: {
    type: 'info',
    labels: ['version', 'node'],
    help: 'Versions of rr and Node.js; always 1.',
  },
  rr_status: {
    type: 'gauge',
    labels: ['status'],
    help: '1 for what the server is doing: starting, accepting, draining or stopped; 0 for the rest.',
  },
  rr_ready: { type: 'gauge', labels: [], help: '1 while /readyz says yes.' },
  rr_uptime_seconds: { type: 'gauge', labels: [], help: 'Time since the server was started.' },
  rr_max_connections: { type: 'gauge', labels: [], help: 'The limit on open connections.' },
  rr_connections: { type: 'gauge', labels: ['worker'], help: 'Connections open now.' },
  rr_connections_accepted_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Connections accepted, refused ones not counted.',
  },
  rr_connections_shed_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Connections closed for the balance between workers.',
  },
  rr_connections_refused_total: {
    type: 'counter',
    labels: ['worker', 'cause'],
    help: 'Connections refused, by cause: connections, client-connections or proxy-protocol.',
  },
  rr_requests_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Requests handed to the application.',
  },
  rr_requests_in_flight: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Requests whose answer is not complete now.',
  },
  rr_requests_held: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Slots of maxRequestsInFlight that are taken; 0 without that limit.',
  },
  rr_request_shed_ratio: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Part of the requests that is refused for the delay of the event loop now, 0 to 1.',
  },
  rr_requests_refused_total: {
    type: 'counter',
    labels: ['worker', 'cause', 'status'],
    help: 'Requests refused, by cause (protocol, or the limit on load that was met) and status.',
  },
  rr_limits_reached_total: {
    type: 'counter',
    labels: ['worker', 'limit'],
    help: 'Clients that met the bound of an option, which is named, and were refused or cut off.',
  },
  rr_received_bytes_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Bytes received on connections, heads and framing included.',
  },
  rr_sent_bytes_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Bytes given to connections to send.',
  },
  rr_request_duration_seconds: {
    type: 'histogram',
    labels: ['route', 'method', 'status'],
    help: 'Time from the head of a request to the end of its answer, over all workers.',
  },
  rr_worker_up: {
    type: 'gauge',
    labels: ['worker'],
    help: '1 while the worker accepts connections and does not stand still.',
  },
  rr_worker_phase: {
    type: 'gauge',
    labels: ['worker', 'phase'],
    help: '1 for where the worker is in its life; 0 for the rest.',
  },
  rr_worker_stalled: {
    type: 'gauge',
    labels: ['worker'],
    help: '1 while the event loop of the worker has stood still for longer than stallTimeoutMs.',
  },
  rr_worker_heartbeat_age_seconds: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Time since the event loop of the worker last turned, to half a second.',
  },
  rr_worker_leaving: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Threads that were replaced by a reload and still finish what they have.',
  },
  rr_worker_restarts_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Threads that were started in the place of an earlier one.',
  },
  rr_worker_event_loop_delay_mean_seconds: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Mean lateness of the event loop over the last second.',
  },
  rr_worker_event_loop_delay_p99_seconds: {
    type: 'gauge',
    labels: ['worker'],
    help: '99th percentile of the lateness of the event loop over the last second.',
  },
  rr_worker_event_loop_delay_max_seconds: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Greatest lateness of the event loop over the last 15 seconds, a standstill that goes on included.',
  },
  rr_worker_event_loop_active_seconds_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Time for which the event loop had something to do.',
  },
  rr_worker_event_loop_idle_seconds_total: {
    type: 'counter',
    labels: ['worker'],
    help: 'Time for which the event loop waited.',
  },
  rr_worker_cpu_seconds_total: {
    type: 'counter',
    labels: ['worker', 'mode'],
    help: 'CPU time of the thread, in user and system mode.',
  },
  rr_worker_heap_used_bytes: { type: 'gauge', labels: ['worker'], help: 'JavaScript heap in use.' },
  rr_worker_heap_limit_bytes: {
    type: 'gauge',
    labels: ['worker'],
    help: 'JavaScript heap at which V8 gives up.',
  },
  rr_worker_external_bytes: {
    type: 'gauge',
    labels: ['worker'],
    help: 'Memory outside of the heap that its objects hold, such as buffers.',
  },
  rr_worker_gc_pauses_total: {
    type: 'counter',
    labels: ['worker', 'kind'],
    help: 'Pauses for garbage collection, by kind: minor, major, incremental, other.',
  },
  rr_worker_gc_pause_seconds_total: {
    type: 'counter',
    labels: ['worker', 'kind'],
    help: 'Time in pauses for garbage collection.',
  },
  rr_compute_queued: { type: 'gauge', labels: [], help: 'Tasks that wait in the compute pool.' },
  rr_compute_running: { type: 'gauge', labels: [], help: 'Tasks that run in the compute pool.' },
  rr_compute_ended_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Tasks of the compute pool that have ended: completed, cancelled or rejected.',
  },
  rr_process_cpu_seconds_total: {
    type: 'counter',
    labels: ['mode'],
    help: 'CPU time of the process, all its threads, in user and system mode.',
  },
  rr_process_resident_memory_bytes: {
    type: 'gauge',
    labels: [],
    help: 'Memory of the process that is in RAM.',
  },
  rr_process_open_fds: { type: 'gauge', labels: [], help: 'Open file descriptors (Linux only).' },
  rr_process_max_fds: {
    type: 'gauge',
    labels: [],
    help: 'How many file descriptors the process may have open (Linux only).',
  },
  rr_process_start_time_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the process was started, in seconds since 1970.',
  },
} as const

export type MetricName = keyof typeof METRICS
