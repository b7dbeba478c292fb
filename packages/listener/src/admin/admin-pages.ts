import { accepts } from '@rr/core'
import type { AdminSource } from './admin-source.ts'
import { CONTENT_TYPES } from './exposition.ts'
import { describeHealth, type Health, liveness, readiness } from './health.ts'
import { readLivePage } from './live-page.ts'
import { liveState } from './live-state.ts'
import { metricsText } from './server-metrics.ts'

/** What a page is asked with. */
export interface PageRequest {
  readonly accept: string
  readonly query: URLSearchParams
}

/** What a page answers. */
export interface PageAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly policy?: string
}

export type AdminPage = (request: PageRequest) => PageAnswer

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const HTML = 'text/html; charset=utf-8'

/** The pages of the admin server, by path. */
export function adminPages(source: AdminSource): ReadonlyMap<string, AdminPage> {
  const page = readLivePage()
  const health = (name: string, judge: () => Health): AdminPage => {
    return (request) => healthAnswer(name, judge(), source, request)
  }
  return new Map<string, AdminPage>([
    ['/', () => ({ status: 200, type: HTML, body: page.html, policy: page.policy })],
    ['/livez', health('livez', () => liveness(source.info(), source.replacesStalled))],
    ['/readyz', health('readyz', () => readiness(source.info()))],
    ['/metrics', (request) => metricsAnswer(source, request)],
    ['/info', () => jsonAnswer(200, source.info())],
    ['/live', () => jsonAnswer(200, liveState(source))],
  ])
}

function healthAnswer(
  name: string,
  health: Health,
  source: AdminSource,
  { accept, query }: PageRequest,
): PageAnswer {
  const { isWell, reason } = health
  const status = isWell ? 200 : 503
  if (chosen(accept, ['text/plain', 'application/json']) === 'application/json') {
    const { workers, status: server } = source.info()
    const states = workers.map(({ id, phase, isStalled }) => ({ id, phase, isStalled }))
    const details = query.has('verbose') ? { server, workers: states } : {}
    return jsonAnswer(status, { status: isWell ? 'ok' : 'failed', reason, ...details })
  }
  const body = query.has('verbose')
    ? describeHealth(name, health, source.info())
    : `${isWell ? 'ok' : reason}\n`
  return { status, type: TEXT, body }
}

function metricsAnswer(source: AdminSource, { accept }: PageRequest): PageAnswer {
  const wanted = chosen(accept, ['text/plain', 'application/openmetrics-text'])
  const format = wanted === 'application/openmetrics-text' ? 'openmetrics' : 'prometheus'
  return { status: 200, type: CONTENT_TYPES[format], body: metricsText(source, format) }
}

function jsonAnswer(status: number, value: unknown): PageAnswer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(value)}\n` }
}

/** The offer that Accept likes best; the first also where it takes none, as probes can't choose. */
function chosen<Offer extends string>(accept: string, offers: readonly [Offer, ...Offer[]]): Offer {
  return accepts({ headers: { get: () => accept } }, offers) ?? offers[0]
}
