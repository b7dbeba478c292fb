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
const OPENMETRICS = 'application/openmetrics-text'
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
  const wanted = chosen(withoutParameters(accept), ['text/plain', OPENMETRICS])
  const format = wanted === OPENMETRICS ? 'openmetrics' : 'prometheus'
  return { status: 200, type: CONTENT_TYPES[format], body: metricsText(source, format) }
}

/**
 * Accept with the types and qualities alone: scrapers name versions and ways of escaping that no
 * answer has exactly. Versions of OpenMetrics that are not written here are left out.
 */
function withoutParameters(accept: string): string {
  const ranges = accept.split(',').map((range) => range.split(';').map((part) => part.trim()))
  return ranges
    .filter(([type, ...parameters]) => {
      const version = parameters.find((parameter) => parameter.startsWith('version='))
      return type !== OPENMETRICS || version === undefined || version === 'version=1.0.0'
    })
    .map(([type, ...parameters]) => [type, ...parameters.filter((text) => /^q=/i.test(text))])
    .map((parts) => parts.join(';'))
    .join(',')
}

function jsonAnswer(status: number, value: unknown): PageAnswer {
  return { status, type: JSON_TYPE, body: `${JSON.stringify(value)}\n` }
}

/** The offer that Accept likes best; the first also where it takes none, as probes can't choose. */
function chosen<Offer extends string>(accept: string, offers: readonly [Offer, ...Offer[]]): Offer {
  return accepts({ headers: { get: () => accept } }, offers) ?? offers[0]
}
