import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import {
  checkPortIsOurs,
  hasForeignListener,
  parseTcpTable,
  probeAddress,
} from '../src/port-guard.ts'

async function occupy(t: Test, reusePort: boolean): Promise<number> {
  const server: Server = createServer()
  const options = { port: 0, host: '127.0.0.1', reusePort, exclusive: true }
  await new Promise<void>((resolve) => server.listen(options, resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

t.test('a free address is found free, and is free afterwards', async (t) => {
  const { address } = await probeAddress('localhost', 0)
  t.match(address, /^(127\.0\.0\.1|::1)$/, 'names are resolved')
  const port = await occupy(t, true)
  await t.rejects(probeAddress('127.0.0.1', port))
})

t.test('an address in use is found, also when it could be shared', async (t) => {
  for (const reusePort of [false, true]) {
    const port = await occupy(t, reusePort)
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      await t.rejects(probeAddress(host, port), {
        code: 'RR_BIND_FAILED',
        message: `cannot listen on ${host}:${port}: the port is already in use (EADDRINUSE)`,
        cause: { code: 'EADDRINUSE' },
      })
    }
  }
})

t.test("an address that is not this machine's", async (t) => {
  await t.rejects(probeAddress('192.0.2.1', 0), {
    code: 'RR_BIND_FAILED',
    cause: { code: 'EADDRNOTAVAIL' },
  })
})

t.test('only what says so means that a platform shares no ports', async (t) => {
  const platform = (code: string) => async (options: { reusePort?: boolean | undefined }) => {
    if (options.reusePort === true) throw Object.assign(new Error(code), { code })
    return '127.0.0.1'
  }
  for (const code of ['ENOTSUP', 'EOPNOTSUPP', 'ENOPROTOOPT', 'ENOSYS', 'EINVAL']) {
    const probed = await probeAddress('127.0.0.1', 0, platform(code))
    t.strictSame(probed, { address: '127.0.0.1', canShare: false }, code)
  }
  for (const code of ['EMFILE', 'ENFILE', 'EADDRINUSE', 'ENOBUFS']) {
    const probed = probeAddress('127.0.0.1', 0, platform(code))
    await t.rejects(probed, { code: 'RR_BIND_FAILED', cause: { code } }, code)
  }
})

t.test("this process's own listeners are no trouble", async (t) => {
  const port = await occupy(t, true)
  t.doesNotThrow(() => checkPortIsOurs('127.0.0.1', port))
})

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const row = (local: string, state: string, inode: number): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0\n`

t.test('the table of the kernel is parsed', async (t) => {
  const text = `${HEAD}${row('0100007F:1F90', '0A', 111)}${row('0100007F:1F90', '01', 222)}\ngarbage\n`
  t.strictSame(parseTcpTable(text), [{ address: '0100007F', port: 8080, inode: '111' }])
  t.strictSame(parseTcpTable(''), [])
})

t.test('a foreign listener is one on the same address', async (t) => {
  const listener = (address: string, inode: string) => ({ address, port: 8080, inode })
  const own = new Set(['1', '2'])
  const [one, two] = [listener('00000000', '1'), listener('00000000', '2')]
  t.notOk(hasForeignListener([one, two], own))
  t.notOk(hasForeignListener([one, two, listener('0100007F', '9')], own))
  t.ok(hasForeignListener([one, two, listener('00000000', '9')], own))
})

t.test('a foreign listener ends the start; without the table nothing is concluded', async (t) => {
  const tree = (foreign: string) => ({
    fd: { 3: t.fixture('symlink', 'socket:[111]'), 4: t.fixture('symlink', '/dev/null') },
    net: { tcp: HEAD + row('00000000:1F90', '0A', 111) + foreign },
  })
  const shared = t.testdir(tree(row('00000000:1F90', '0A', 999)))
  t.throws(() => checkPortIsOurs('0.0.0.0', 8080, shared), {
    code: 'RR_BIND_FAILED',
    cause: { code: 'EADDRINUSE' },
  })
  t.doesNotThrow(() => checkPortIsOurs('0.0.0.0', 8081, shared))
  t.doesNotThrow(() => checkPortIsOurs('0.0.0.0', 8080, '/nowhere'))
})
