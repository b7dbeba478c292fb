// `request.log`: a child of the server's log with the request's identifier.

import t from 'tap'
import type { RequestLog } from '../src/request-log.ts'
import { text } from '../src/response.ts'
import { converse } from './support/conversation.ts'
import { LogRecord } from './support/log-record.ts'

const GET = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n'

t.test('each line has the request’s id, and what the line gives', async (t) => {
  const record = new LogRecord()
  const ids: string[] = []
  await converse(GET + GET, {
    log: record.log,
    handler: ({ log, id }) => {
      log.info({ order: 7 }, 'paid')
      log.warn('slow')
      ids.push(id)
      return text('ok')
    },
  })
  t.not(ids[0], ids[1])
  t.same(record.lines, [
    { level: 'info', fields: { requestId: ids[0], order: 7 }, message: 'paid' },
    { level: 'warn', fields: { requestId: ids[0] }, message: 'slow' },
    { level: 'info', fields: { requestId: ids[1], order: 7 }, message: 'paid' },
    { level: 'warn', fields: { requestId: ids[1] }, message: 'slow' },
  ])
})

t.test(
  'nothing is made for a request that does not log, and one logger for one that does',
  async (t) => {
    const record = new LogRecord()
    await converse(GET + GET, { log: record.log })
    t.equal(record.children, 0)
    await converse(GET, {
      log: record.log,
      handler: (request) => {
        for (let line = 0; line < 5; line++) request.log.info('a line')
        t.equal(request.log, request.log)
        return text('ok')
      },
    })
    t.equal(record.children, 1)
  },
)

t.test('the route is there once the router has matched', async (t) => {
  const record = new LogRecord()
  await converse(GET, {
    log: record.log,
    handler: (request) => {
      request.log.info('before')
      request.route = '/:name'
      request.log.info('after')
      return text(request.id)
    },
  })
  t.notOk('route' in record.lines[0]!.fields)
  t.equal(record.lines[1]?.fields['route'], '/:name')
  t.equal(record.lines[1]?.fields['requestId'], record.lines[0]?.fields['requestId'])
})

t.test(
  'it follows an identifier that is set; a logger taken before keeps the old one',
  async (t) => {
    const record = new LogRecord()
    let early: RequestLog | null = null
    let first = ''
    await converse(GET, {
      log: record.log,
      handler: (request) => {
        first = request.id
        early = request.log
        request.id = 'of-the-proxy'
        request.log.info('a')
        early.info('b')
        return text('ok')
      },
    })
    t.same(
      record.lines.map(({ fields }) => fields['requestId']),
      ['of-the-proxy', first],
    )
  },
)

t.test('it can be used after the answer', async (t) => {
  const record = new LogRecord()
  const conversation = await converse(GET, {
    log: record.log,
    handler: (request) => {
      setImmediate(() => request.log.info('late'))
      return text('ok')
    },
  })
  await conversation.settle()
  t.same(
    record.lines.map(({ message }) => message),
    ['late'],
  )
})

t.test('without a logger it drops all, and its children do', async (t) => {
  const conversation = await converse(GET, {
    handler: ({ log }) => {
      log.fatal('lost')
      log.child({ a: 1 }).error({ b: 2 }, 'lost')
      return text('ok')
    },
  })
  t.same(conversation.statuses(), [200])
})
