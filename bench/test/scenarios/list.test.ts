import t from 'tap'
import { SCENARIOS } from '../../src/scenarios/index.ts'
import { COMPRESSIBLE, cookieValue, LARGE_64K, pattern } from '../../src/scenarios/payloads.ts'
import { ROUTES } from '../../src/scenarios/route-table.ts'
import { SERVERS } from '../../src/servers.ts'

const byName = (name: string) => {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name)
  if (scenario === undefined) throw new Error(`no scenario ${name}`)
  return scenario
}
const firstRequest = (name: string) => byName(name).requests[0]!.request

t.test('every scenario is there, each once', async (t) => {
  t.same(SCENARIOS.map(({ name }) => name).sort(), [
    ...['chunked_request_body', 'connection_per_request', 'connection_storm', 'cookies_heavy'],
    ...['echo', 'etag_304', 'expect_100_continue', 'gzip_response', 'head_method'],
    ...['headers_heavy', 'hello', 'json', 'large_post_streaming', 'large_response_1m'],
    ...['large_response_64k', 'mixed_workload', 'pipelined_16', 'post_4kb_form', 'redirect'],
    ...['router_404', 'server_sent_events', 'slow_clients', 'streaming_response'],
    ...['url_with_qs', 'varied_paths_router'],
  ])
})

t.test('servers have names of their own, and leave out only scenarios that exist', async (t) => {
  const names = SERVERS.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
  for (const { name, without } of SERVERS) {
    for (const scenario of Object.keys(without)) t.ok(byName(scenario), `${name}: ${scenario}`)
  }
})

t.test('requests have the sizes that their scenarios promise', async (t) => {
  t.equal(firstRequest('headers_heavy').headers.length, 30)
  t.equal(firstRequest('echo').body?.length, 1024)
  t.equal(firstRequest('post_4kb_form').body?.length, 4096)
  t.equal(firstRequest('large_post_streaming').body?.length, 20 * 1024 * 1024)
  t.equal(firstRequest('cookies_heavy').headers[0]?.[1].split('; ').length, 24)
  t.equal(byName('large_response_1m').requests[0]?.answer.body?.length, 1024 * 1024)
  t.equal(LARGE_64K.length, 64 * 1024)
  t.equal(COMPRESSIBLE.length, 8192)
})

t.test('json: no two requests have the same answer', async (t) => {
  const bodies = byName('json').requests.map(({ answer }) => String(answer.body))
  t.equal(new Set(bodies).size, bodies.length)
})

t.test('the route table: 200 routes, 50 with parameters, all asked for', async (t) => {
  t.equal(ROUTES.length, 200)
  t.equal(ROUTES.filter(({ params }) => params.length > 0).length, 50)
  t.equal(new Set(ROUTES.map(({ pattern }) => pattern)).size, 200)
  t.same(
    ROUTES.map(({ index }) => index),
    ROUTES.map((_, i) => i),
  )
  const targets = byName('varied_paths_router').requests.map(({ request }) => request.target)
  t.equal(new Set(targets).size, 200)
  t.notOk(targets.some((target) => target.includes(':')))
})

t.test('bodies: each block of 4 KiB is another one', async (t) => {
  const body = pattern(16 * 1024)
  t.notSame(body.subarray(0, 4096), body.subarray(4096, 8192))
  t.equal(body[4096], 1)
})

t.test('cookies: the one of that name, and no longer name that begins or ends alike', async (t) => {
  const header = 'xsession=1; sessions=2; session=3; session=4'
  t.equal(cookieValue(header, 'session'), '3')
  t.equal(cookieValue('a=1;session=2', 'session'), '2')
  t.equal(cookieValue('session=', 'session'), '')
  t.equal(cookieValue('a=session=1', 'session'), '')
  t.equal(cookieValue('', 'session'), '')
})
