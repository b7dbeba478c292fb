import t from 'tap'
import { isLoopback, parseDebuggedWorker } from '../src/debugged-worker.ts'

t.test('a worker, a port and a host, of which the last two have defaults', async (t) => {
  const cases: Record<string, [workerId: number, host: string, port: number]> = {
    '2': [2, '127.0.0.1', 9229],
    '2:0': [2, '127.0.0.1', 0],
    '1024:65535': [1024, '127.0.0.1', 65_535],
    '1:0.0.0.0:9230': [1, '0.0.0.0', 9230],
    '1:localhost:9230': [1, 'localhost', 9230],
    '1:[::1]:9230': [1, '::1', 9230],
  }
  for (const [text, [workerId, host, port]] of Object.entries(cases)) {
    t.strictSame(parseDebuggedWorker(text), { workerId, host, port }, text)
  }
  t.equal(parseDebuggedWorker(''), null)
})

t.test('anything else is an error of usage', async (t) => {
  for (const text of ['0', '-1', 'x', '1:', '1:65536', '1:a:b:1', '1::1:9230', ' 1', '1:host']) {
    t.throws(() => parseDebuggedWorker(text), { code: 'RR_OPTION_INVALID' }, text)
  }
})

t.test('only addresses of this machine are loopback, whatever a name is like', async (t) => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) t.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.example.org', 'localhost.example.org']) {
    t.notOk(isLoopback(host), host)
  }
})
