// `request.log` and `currentRequest()` over listen() and serve(): where lines go, and with which id.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type HttpRequest, text } from '@rr/core'
import t from 'tap'
import { LogRecord } from '../../core/test/support/log-record.ts'
import { listen } from '../src/listen.ts'
import { serve } from '../src/serve.ts'
import { fixtureUrl } from './support/fixture-url.ts'
import { until } from './support/until.ts'

const AT = { host: '127.0.0.1', port: 0 }

t.test('listen({ log }): handlers log to it, with the id that the access log has', async (t) => {
  const record = new LogRecord()
  const ids: string[] = []
  const app = (request: HttpRequest): ReturnType<typeof text> => {
    request.log.debug({ step: 1 }, 'begun')
    return text(request.id)
  }
  const onAccess = ({ request }: { request: HttpRequest }): void => void ids.push(request.id)
  const server = await listen(app, { ...AT, log: record.log, onAccess })
  t.teardown(() => server.stop())
  const id = await (await fetch(server.url)).text()
  await until(() => ids.length === 1, 'the access log')
  t.same(record.lines, [{ level: 'debug', fields: { requestId: id, step: 1 }, message: 'begun' }])
  t.same(ids, [id])
})

for (const log of [null, 'info', { info() {} }, {}, () => {}]) {
  t.test(`listen() refuses ${JSON.stringify(log) ?? 'a function'} as log`, async (t) => {
    const options = { ...AT, log } as never
    await t.rejects(
      listen(() => text('ok'), options),
      { code: 'RR_OPTION_INVALID' },
    )
  })
}

t.test('serve(): the log of the worker hooks, the same id everywhere', async (t) => {
  const channel = `rr-test-${process.pid}`
  const port = new BroadcastChannel(channel)
  t.teardown(() => port.close())
  const lines: Record<string, unknown>[] = []
  port.onmessage = (event) => void lines.push((event as MessageEvent).data)
  const server = await serve(fixtureUrl('logging.ts'), {
    ...AT,
    workers: 2,
    requestContext: true,
    workerHooks: fixtureUrl('log-hooks.ts'),
    workerHooksData: { channel },
  })
  t.teardown(() => server.stop())
  const { id, current } = (await (await fetch(server.url)).json()) as Record<string, string>
  t.equal(current, id, 'far from the handler and after an await')
  await until(() => lines.length === 3, 'three lines')
  const [worker] = lines.map((line) => line['worker'])
  t.ok(worker === 1 || worker === 2)
  t.same(lines, [
    { level: 'info', worker, requestId: id, step: 1, message: 'begun' },
    { level: 'warn', worker, requestId: id, step: 2, message: 'slow' },
    { level: 'access', requestId: id },
  ])
})

t.test('without a logger lines from warn on go to stderr', async (t) => {
  const program = fileURLToPath(fixtureUrl('serve-logging.ts'))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program])
  const { id, current } = JSON.parse(stdout) as Record<string, unknown>
  t.equal(current, null, 'requestContext is off by default')
  const lines = stderr.trim().split('\n')
  t.equal(lines.length, 1, stderr)
  t.match(JSON.parse(lines[0]!), { level: 40, worker: 1, requestId: id, step: 2, msg: 'slow' })
})
