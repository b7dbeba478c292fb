import { type HttpRequest, type HttpResponse, text } from '@rr/core'
import t, { type Test } from 'tap'
import { listen } from '../src/listen.ts'
import type { ServerEvent } from '../src/server-events.ts'
import type { ListenOptionsInput } from '../src/server-options.ts'
import { INET, ssl, tlv, v2 } from './support/proxy-bytes.ts'
import { RawClient } from './support/raw-client.ts'
import { answer, serveTroubles, type TestServer, WAYS } from './support/test-server.ts'
import { until } from './support/until.ts'

const trustedProxies = ['loopback']
const LINE = 'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n'
const lineFrom = (address: string): string => `PROXY TCP4 ${address} 198.51.100.2 1 443\r\n`

/** Serves what a handler sees of its client. */
async function serveFacts(
  t: Test,
  options: ListenOptionsInput,
): Promise<Omit<TestServer, 'log' | 'counters'> & { readonly events: ServerEvent[] }> {
  const events: ServerEvent[] = []
  const facts = ({ client, peer, local, scheme, host, tls }: HttpRequest) =>
    text(`${JSON.stringify({ client, peer, local, scheme, host, tls })}\n`)
  const server = await listen(facts, {
    host: '127.0.0.1',
    port: 0,
    onEvent: (event) => void events.push(event),
    ...options,
  })
  const clients: RawClient[] = []
  t.teardown(async () => {
    for (const client of clients) client.close()
    await server.stop()
  })
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect(server.port)
    clients.push(client)
    return client
  }
  return { server, events, connect }
}

/** The facts in the next answer. */
async function facts(client: RawClient): Promise<Record<string, unknown>> {
  const body = await client.expect(/^HTTP\/1.1 200 OK\r\n[\s\S]*?\r\n\r\n[\s\S]*?\n/)
  return JSON.parse(body.slice(body.indexOf('\r\n\r\n')))
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

t.test('the client of a PROXY header is the peer of all requests behind it', async (t) => {
  const { server, connect } = await serveFacts(t, { trustedProxies, proxyProtocol: 'require' })
  const client = await connect()
  client.send(`${LINE}GET / HTTP/1.1\r\nHost: a.example\r\n\r\n`)
  const expected = {
    client: { address: '192.0.2.1', port: 56_324, family: 'IPv4' },
    peer: { address: '192.0.2.1', port: 56_324, family: 'IPv4' },
    local: { address: '198.51.100.2', port: 443, family: 'IPv4' },
    scheme: 'http',
    host: 'a.example',
    tls: null,
  }
  t.same(await facts(client), expected)
  client.get('/')
  t.match(await facts(client), { peer: expected.peer }, 'also of the next one')
  client.send(`${LINE}GET / HTTP/1.1\r\nHost: a\r\n\r\n`)
  t.match(await client.expect(/\r\n\r\n/), /^HTTP\/1\.1 501 /, 'PROXY is no method')
  t.match(server.info(), { requests: 2, rejections: { total: 1, requests: { 501: 1 } } })
})

t.test('a header byte by byte, with the request at its heels, is the same', async (t) => {
  const { connect } = await serveFacts(t, { trustedProxies, proxyProtocol: 'require' })
  const tlvs = [ssl(1, tlv(0x21, 'TLSv1.3')), tlv(0x02, 'a.example')]
  for (const header of [LINE, latin1(v2({ tlvs, checksum: 'right' }))]) {
    const client = await connect()
    for (const byte of `${header}GET / HTTP/1.1\r\nHost: a\r\n\r\n`) {
      client.send(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.match(await facts(client), { peer: { address: '192.0.2.1' } })
  }
})

t.test('TLS that the proxy ended is known: scheme, facts and URL', async (t) => {
  const { connect } = await serveFacts(t, { trustedProxies, proxyProtocol: 'require' })
  const client = await connect()
  const tlvs = [tlv(0x01, 'http/1.1'), ssl(1, tlv(0x21, 'TLSv1.3')), tlv(0x02, 'a.example')]
  client.send(latin1(v2({ tlvs })))
  client.get('/')
  t.match(await facts(client), {
    scheme: 'https',
    tls: { protocol: 'TLSv1.3', alpnProtocol: 'http/1.1', servername: 'a.example' },
  })
})

t.test("LOCAL and UNKNOWN are the proxy's own connections", async (t) => {
  const { server, connect } = await serveFacts(t, { trustedProxies, proxyProtocol: 'require' })
  const headers = ['PROXY UNKNOWN\r\n', latin1(v2({ command: 0x20, family: 0, addresses: INET }))]
  for (const header of headers) {
    const client = await connect()
    client.send(header)
    client.get('/')
    t.match(await facts(client), { peer: { address: '127.0.0.1' }, scheme: 'http' })
  }
  const probe = await connect()
  probe.socket.end()
  t.equal(await probe.ended(), 'end', 'a look whether the server is there')
  t.equal(server.info().rejections.total, 0)
})

for (const { name, start } of WAYS) {
  t.test(`${name}: what is no header is closed and counted`, async (t) => {
    const { server, log, connect } = await start(t, { trustedProxies, proxyProtocol: 'require' })
    const bad = [
      'GET / HTTP/1.1\r\nHost: test\r\n\r\n',
      'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n',
      `PROXY UNKNOWN ${'x'.repeat(120)}`,
      latin1(v2({ checksum: 'wrong' })),
      latin1(v2({ length: 4 })),
      latin1(v2({ length: 65_535 })),
      latin1(v2({ family: 0x99 })),
    ]
    for (const [index, input] of bad.entries()) {
      const client = await connect()
      client.send(input)
      t.equal(await client.ended(), 'ECONNRESET', JSON.stringify(input.slice(0, 20)))
      t.equal(client.received, '')
      await until(() => server.info().rejections.proxyProtocol === index + 1, 'the count')
    }
    const short = await connect()
    short.send(LINE.slice(0, 20))
    short.socket.end()
    t.equal(await short.ended(), 'ECONNRESET', 'an end within the header')
    await until(() => server.info().rejections.proxyProtocol === bad.length + 1, 'the count')
    await until(() => server.info().connections === 0, 'their slots')
    t.match(server.info(), { requests: 0, rejections: { total: bad.length + 1 } })
    const warning = log.of('warning').find(({ code }) => code === 'RR_PROXY_REFUSED')
    t.match(
      warning?.message,
      /^a connection from 127\.0\.0\.1 was closed: PROXY protocol, no header/,
    )
  })

  t.test(`${name}: the limit by client goes by the PROXY header`, async (t) => {
    const { server, connect } = await start(t, {
      trustedProxies,
      proxyProtocol: 'require',
      maxConnectionsPerClient: 2,
    })
    const held: RawClient[] = []
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) {
      const client = await connect()
      client.send(lineFrom(address))
      await answer(client, '/', /ok/)
      held.push(client)
    }
    const over = await connect()
    over.send(lineFrom('192.0.2.1'))
    over.get('/')
    t.match(await over.expect(/\r\n\r\n/), /^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 1/)
    t.equal(await over.ended(), 'end')
    over.close()
    t.match(server.info(), { requests: 3, rejections: { total: 1, clientConnections: 1 } })
    held[0]!.close()
    await until(() => server.info().connections === 2, 'the slots')
    const again = await connect()
    again.send(lineFrom('192.0.2.1'))
    await answer(again, '/', /ok/)
    t.equal(server.info().rejections.clientConnections, 1)
    for (let count = 0; count < 4; count++) {
      const own = await connect()
      own.send('PROXY UNKNOWN\r\n')
      await answer(own, '/', /ok/)
    }
    t.equal(server.info().rejections.total, 1, "a proxy's own connections are not limited")
  })

  t.test(`${name}: by client address, limit - 1, limit and limit + 1`, async (t) => {
    const { server, connect } = await start(t, { maxConnectionsPerClient: 3 })
    const held: RawClient[] = []
    for (let count = 1; count <= 3; count++) {
      held.push(await connect())
      await answer(held.at(-1)!, '/', /ok/)
      t.match(server.info(), { connections: count, rejections: { total: 0 } })
    }
    const over = await connect()
    over.get('/')
    t.match(await over.expect(/\r\n\r\n/), /^HTTP\/1\.1 503 /)
    t.match(server.info(), { connections: 3, rejections: { total: 1, clientConnections: 1 } })
    held[0]!.socket.end()
    await until(() => server.info().connections === 2, 'the slot')
    await answer(await connect(), '/', /ok/)
    await answer(held[1]!, '/', /ok/)
    t.equal(server.info().rejections.connections, 0)
  })

  t.test(`${name}: of many that come at once a client gets as many as it may`, async (t) => {
    const { server, connect } = await start(t, { maxConnectionsPerClient: 50, overload: 'close' })
    const tries = Array.from({ length: 200 }, () => connect().catch(() => null))
    await Promise.all(tries)
    const refused = (): number => server.info().rejections.clientConnections
    await until(() => server.info().connectionsAccepted + refused() === 200, 'all of them')
    t.match(server.info(), { connections: 50, connectionsAccepted: 50 })
  })
}

t.test('what a killed worker held is given back to its clients', async (t) => {
  const { server, log, connect } = await serveTroubles(t, {
    workers: 2,
    maxConnectionsPerClient: 6,
  })
  for (let round = 1; round <= 3; round++) {
    const clients: RawClient[] = []
    for (let count = 0; count < 6; count++) {
      clients.push(await connect())
      await answer(clients.at(-1)!, '/', /ok/)
    }
    const over = await connect()
    t.match(await over.expect(/\r\n\r\n/), /^HTTP\/1\.1 503 /, 'all slots are taken')
    over.close()
    clients[0]!.get('/exit')
    const { connectionsLost } = await log.wait('worker-exited', round)
    t.ok(connectionsLost >= 1)
    await log.wait('worker-listening', 2 + round)
    // Those of the other worker still count.
    await until(() => server.info().connections === 6 - connectionsLost, 'the count')
    for (let count = 0; count < connectionsLost; count++) {
      clients.push(await connect())
      await answer(clients.at(-1)!, '/', /ok/)
    }
    const last = await connect()
    t.match(await last.expect(/\r\n\r\n/), /^HTTP\/1\.1 503 /, 'and no slot more is there')
    for (const client of [...clients, last]) client.close()
    await until(() => server.info().connections === 0, 'all of them to close')
  }
})

t.test('IPv6 clients are told apart by their prefix', async (t) => {
  const { server, connect } = await serveFacts(t, {
    trustedProxies,
    proxyProtocol: 'require',
    maxConnectionsPerClient: 1,
    clientIpv6PrefixBits: 56,
  })
  const ask = async (address: string): Promise<RegExpExecArray | null> => {
    const client = await connect()
    client.send(`PROXY TCP6 ${address} ::1 1 2\r\n`)
    client.get('/')
    return /^HTTP\/1\.1 (\d+)/.exec(await client.expect(/\r\n\r\n/))
  }
  t.equal((await ask('2001:db8:0:100::1'))?.[1], '200')
  t.equal((await ask('2001:db8:0:1ff::2'))?.[1], '503', 'of one /56')
  t.equal((await ask('2001:db8:0:200::1'))?.[1], '200')
  t.equal((await ask('::ffff:192.0.2.1'))?.[1], '200')
  t.equal((await ask('::ffff:192.0.2.2'))?.[1], '200', 'IPv4 in IPv6 form is IPv4')
  t.equal(server.info().rejections.clientConnections, 1)
})

t.test("with 'require', who is not trusted is closed at once; with 'accept', served", async (t) => {
  const elsewhere = ['192.0.2.0/24']
  const strict = await serveFacts(t, { trustedProxies: elsewhere, proxyProtocol: 'require' })
  const refused = await strict.connect().catch((error: NodeJS.ErrnoException) => error)
  const ending = refused instanceof RawClient ? await refused.ended() : refused.code
  t.equal(ending, 'ECONNRESET')
  await until(() => strict.server.info().rejections.proxyProtocol === 1, 'the count')
  t.match(strict.events.at(-1), { code: 'RR_PROXY_REFUSED', message: /not in trustedProxies$/ })
  t.equal(strict.server.info().connectionsAccepted, 0)

  const both = await serveFacts(t, { trustedProxies: elsewhere, proxyProtocol: 'accept' })
  const plain = await both.connect()
  plain.get('/')
  t.match(await facts(plain), { peer: { address: '127.0.0.1' } })
  for (const header of [LINE, latin1(v2())]) {
    const liar = await both.connect()
    liar.send(`${header}GET / HTTP/1.1\r\nHost: a\r\n\r\n`)
    t.match(await liar.expect(/\r\n\r\n/), /^HTTP\/1\.1 (400|501) /, 'a header from elsewhere')
  }
  t.match(both.server.info(), { requests: 1, rejections: { requests: { 400: 1, 501: 1 } } })

  const trusting = await serveFacts(t, { trustedProxies, proxyProtocol: 'accept' })
  const silent = await trusting.connect()
  silent.get('/')
  t.equal(await silent.ended(), 'ECONNRESET', 'of a trusted proxy the header is never guessed')
})

t.test('a client that lets its header wait is closed, however it spends the time', async (t) => {
  const { server, events, connect } = await serveFacts(t, {
    trustedProxies,
    proxyProtocol: 'require',
    proxyHeaderTimeoutMs: 300,
    headersTimeoutMs: 60_000,
  })
  const quiet = await connect()
  const slow = await connect()
  const bytes = [...LINE.slice(0, -2)]
  const timer = setInterval(() => slow.send(bytes.shift() ?? ''), 20)
  t.teardown(() => clearInterval(timer))
  for (const client of [quiet, slow]) t.equal(await client.ended(), 'ECONNRESET')
  await until(() => server.info().connections === 0, 'the slots')
  t.equal(server.info().rejections.proxyProtocol, 2)
  t.match(events.at(-1), { code: 'RR_PROXY_REFUSED', message: /took too long to arrive$/ })
})

t.test('a drain closes who has sent no header, and serves who sends one in time', async (t) => {
  const { server, connect } = await serveFacts(t, {
    trustedProxies,
    proxyProtocol: 'require',
    drainIdleGraceMs: 2000,
    proxyHeaderTimeoutMs: 60_000,
  })
  const late = await connect()
  const quiet = await connect()
  late.send(LINE.slice(0, 10))
  await until(() => server.info().connections === 2, 'both')
  const drained = server.drain({ timeoutMs: 20_000 })
  late.send(LINE.slice(10))
  late.get('/')
  t.match(await late.expect(/\r\n\r\n/), /^HTTP\/1\.1 200 [\s\S]*connection: close/i)
  await quiet.ended()
  late.close()
  t.same(await drained, { drained: true })
  t.equal(server.info().rejections.proxyProtocol, 0)
})

t.test(
  'forwarded headers are believed of proxies alone, over the PROXY protocol too',
  async (t) => {
    const headers = 'X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n'
    const options = { trustedProxies, forwardedHeaders: 'x-forwarded' } as const
    const plain = await serveFacts(t, options)
    const direct = await plain.connect()
    direct.get('/', headers)
    t.match(await facts(direct), {
      client: { address: '203.0.113.9', port: 0, family: 'IPv4' },
      peer: { address: '127.0.0.1' },
      scheme: 'https',
    })
    const proxied = await serveFacts(t, { ...options, proxyProtocol: 'require' })
    const spoofing = await proxied.connect()
    spoofing.send(LINE)
    spoofing.get('/', headers)
    t.match(await facts(spoofing), { client: { address: '192.0.2.1' }, scheme: 'http' })
  },
)

t.test('the client is known also when its proxy has gone', async (t) => {
  let seen: string | null = null
  const handler = async (request: HttpRequest): Promise<HttpResponse> => {
    await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
    seen = request.client.address
    return text('late')
  }
  const options = { trustedProxies, forwardedHeaders: 'x-forwarded', host: '127.0.0.1' } as const
  const server = await listen(handler, { ...options, port: 0 })
  t.teardown(() => server.stop())
  const client = await RawClient.connect(server.port)
  client.get('/', 'X-Forwarded-For: 203.0.113.9\r\n')
  await until(() => server.info().inFlight === 1, 'the request')
  client.socket.resetAndDestroy()
  await until(() => seen !== null, 'the handler to hear of it')
  t.equal(seen, '203.0.113.9')
})

t.test("the connections of a proxy that speaks HTTP are not one client's", async (t) => {
  const { server, connect } = await serveFacts(t, {
    trustedProxies,
    forwardedHeaders: 'forwarded',
    maxConnectionsPerClient: 1,
  })
  for (let count = 0; count < 3; count++) {
    const client = await connect()
    client.get('/', `Forwarded: for=192.0.2.${count}\r\n`)
    t.match(await facts(client), { client: { address: `192.0.2.${count}` } })
  }
  t.match(server.info(), { connections: 3, rejections: { total: 0 } })
})

t.test(
  "with overload 'close' a client over its limit is reset behind the header, too",
  async (t) => {
    const { connect } = await serveFacts(t, {
      trustedProxies,
      proxyProtocol: 'require',
      maxConnectionsPerClient: 1,
      overload: 'close',
    })
    const first = await connect()
    first.send(LINE)
    first.get('/')
    await facts(first)
    const second = await connect()
    second.send(LINE)
    t.equal(await second.ended(), 'ECONNRESET')
  },
)
