import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'

/** A system on which listening sockets cannot be kept, in a process of its own. */
const SCRIPT = `(async () => {
  const { serve } = await import(${JSON.stringify(new URL('../src/serve.ts', import.meta.url).href)})
  const events = []
  const server = await serve(new URL(${JSON.stringify(new URL('./fixtures/hello.ts', import.meta.url).href)}), {
    host: '127.0.0.1', port: 0, workers: 2, balance: 'shared', onEvent: (event) => events.push(event),
  })
  const codes = events.filter(({ type }) => type === 'warning').map(({ code }) => code)
  const ask = async () => (await fetch(server.url, { headers: { connection: 'close' } })).text()
  const answers = [await ask()]
  const result = await server.reload()
  answers.push(await ask())
  const { acceptQueue } = server.info()
  const drained = await server.drain()
  const ports = await serve(new URL(${JSON.stringify(new URL('./fixtures/hello.ts', import.meta.url).href)}), {
    host: '127.0.0.1', port: 0, workers: 2, balance: 'ports', onEvent: () => {},
  })
  const before = ports.info().workers.map(({ port }) => port)
  const { replaced } = await ports.reload()
  const after = ports.info().workers.map(({ port }) => port)
  await ports.drain()
  console.log(JSON.stringify({ before, after, replaced, codes, answers, result, acceptQueue, drained }))
})()`

const HAS_FFI = process.getBuiltinModule('node:ffi') !== undefined

t.test('without node:ffi workers are replaced and drained all the same', async (t) => {
  const child = spawn(
    process.execPath,
    [...(HAS_FFI ? ['--no-experimental-ffi'] : []), '-e', SCRIPT],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.teardown(() => child.kill())
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  t.equal(code, 0)
  const { codes, before, after, replaced, ...told } = JSON.parse(output) as {
    codes: string[]
    before: number[]
    after: number[]
    replaced: number
    acceptQueue: string
  }
  t.equal(replaced, 2, 'each on its own port')
  t.same(after, before)
  t.ok(codes.includes('RR_BALANCE_UNAVAILABLE'))
  t.equal(codes.includes('RR_ACCEPT_QUEUE'), told.acceptQueue === 'reset')
  t.match(told, {
    answers: ['hello', 'hello'],
    result: { replaced: 2, remaining: 0 },
    acceptQueue: /^(reset|migrated)$/,
    drained: { drained: true },
  })
})
