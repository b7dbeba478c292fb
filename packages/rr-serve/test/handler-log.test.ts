// What handlers log through `request.log`, and how it is joined with the other lines.

import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLog } from '../src/logger.ts'
import { createWriterState } from '../src/output-turn.ts'
import { type LogRecord, ServeProcess } from './support/serve-process.ts'

const APP = `
  import { currentRequest, defineApp, text } from '@rr/core'
  import { requestId } from '@rr/middleware'
  import { createRouter } from '@rr/router'
  const app = createRouter()
  app.get('/users/:id', async (request) => {
    request.log.debug('looking')
    request.log.info({ user: request.params.id }, 'found')
    await null
    return text(String(currentRequest()?.id ?? null))
  })
  app.get('/fail', (request) => {
    request.log.warn('about to fail')
    throw new Error('broken')
  })
  export default defineApp({ handler: app, middleware: [requestId({ trust: true })] })`

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'

function serveApp(t: Test, ...args: string[]): ServeProcess {
  const cwd = t.testdir({ 'app.ts': APP })
  return new ServeProcess(t, ['-p', '0', '-w', '2', ...args, 'app.ts'], { cwd })
}

async function ask(
  server: ServeProcess,
  path: string,
  headers: Record<string, string> = {},
): Promise<string> {
  return (await fetch((await server.url()) + path, { headers })).text()
}

t.test('handlers’ lines have the id, the route and the worker of their request', async (t) => {
  const server = serveApp(t, '--access-log')
  const given = 'given-by-the-proxy'
  await ask(server, '/users/7', { 'x-request-id': given })
  await ask(server, '/fail', { 'x-request-id': 'second' })
  t.equal(await server.stop(), 0)
  const of = (id: string): LogRecord[] =>
    server.records().filter((record) => record['requestId'] === id)
  const [found, access] = of(given)
  t.match(found, { level: 30, route: '/users/:id', user: '7', msg: 'found' })
  t.match(access, { route: '/users/:id', status: 200, msg: 'request' })
  t.ok(found?.worker === 1 || found?.worker === 2)
  t.equal(found?.worker, access?.worker)
  t.equal(of(given).length, 2, 'no debug line at the level info')
  t.same(
    of('second')
      .map(({ msg }) => msg)
      .sort(),
    ['GET /fail failed (second)', 'about to fail', 'request'],
    'the error log has it too',
  )
})

t.test('--log-level holds for them', async (t) => {
  const loud = serveApp(t, '--log-level', 'debug')
  await ask(loud, '/users/7')
  await loud.stop()
  t.ok(loud.records().some(({ msg }) => msg === 'looking'))
})

t.test('--request-context makes the request known far from its handler', async (t) => {
  const server = serveApp(t, '--request-context')
  t.equal(await ask(server, '/users/7', { 'x-request-id': 'mine' }), 'mine')
  await server.stop()
  const without = serveApp(t)
  t.equal(await ask(without, '/users/7'), 'null')
  await without.stop()
})

t.test('an access line has the trace id of a valid traceparent, and of no other', async (t) => {
  const server = serveApp(t, '--access-log')
  const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-01`
  await ask(server, '/users/1', { 'x-request-id': 'valid', traceparent })
  await ask(server, '/users/2', { 'x-request-id': 'none' })
  const forged = traceparent.replace('0af', '0AF')
  await ask(server, '/users/3', { 'x-request-id': 'broken', traceparent: forged })
  await server.stop()
  const lines = server.records().filter(({ msg }) => msg === 'request')
  t.equal(lines.length, 3)
  for (const line of lines) {
    if (line['requestId'] === 'valid') t.equal(line['traceId'], TRACE_ID)
    else t.notOk('traceId' in line, String(line['requestId']))
  }
})

t.test('for people a handler’s line shows what was logged; rr’s own say it in words', async (t) => {
  const path = join(t.testdir(), 'log')
  const fd = openSync(path, 'w')
  const settings = { level: 'info', format: 'pretty', colour: false, fd } as const
  const opened = await openLog({ ...settings, writerState: createWriterState() }, 2)
  opened.log.info({ port: 1 }, 'listening')
  const log = opened.handlerLog.child({ requestId: 'an-id', route: '/users/:id' })
  log.info({ user: '7' }, 'found')
  log.info({ user: '8' })
  opened.flush(0)
  closeSync(fd)
  const text = readFileSync(path, 'utf8')
  t.match(text, /INFO: worker 2 {2}listening\n/)
  t.notMatch(text, 'port')
  t.match(text, /INFO: worker 2 {2}found\n +requestId: "an-id"\n +user: "7"\n/)
  t.match(text, /user: "8"/)
  t.notMatch(text, 'undefined')
})
