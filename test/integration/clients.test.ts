import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { Client } from 'undici'
import { ServedProcess } from '../support/served-process.ts'

const run = promisify(execFile)
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const BIN = path('../../packages/rr-serve/bin/rr-serve.js')

/** Serves an example with the command itself. */
async function serveExample(t: Test, name: string): Promise<string> {
  const example = path(`../../docs/examples/${name}`)
  const options = ['--port', '0', '--host', '127.0.0.1', '--workers', '2', '--log-level', 'info']
  const served = new ServedProcess(process.execPath, [BIN, ...options, example])
  t.teardown(async () => {
    served.child.kill('SIGTERM')
    await served.ended
  })
  return served.address()
}

function missing(program: string): string | false {
  const found = spawnSync(program, ['--version']).error === undefined
  return found ? false : `${program} is not installed`
}

t.test('curl', { skip: missing('curl') }, async (t) => {
  const url = await serveExample(t, 'echo.ts')
  const curl = async (...parameters: string[]): Promise<string> =>
    (await run('curl', ['-sS', '--max-time', '20', ...parameters])).stdout

  t.match(await curl('-i', `${url}/`), /^HTTP\/1\.1 200 OK\r\n[\s\S]*POST something to \/echo\n$/)
  t.match(await curl('-I', `${url}/`), /^HTTP\/1\.1 200 OK\r\n[\s\S]*content-length: 24\r\n/)
  t.match(await curl('-i', '-0', `${url}/`), /\r\nconnection: close\r\n/, 'HTTP/1.0')
  const echo = await curl('-i', '-d', 'a=1', `${url}/echo`)
  t.match(echo, /\r\ncontent-type: application\/x-www-form-urlencoded\r\n[\s\S]*\r\n\r\na=1$/)
  const chunked = ['-H', 'Transfer-Encoding: chunked', '-d', 'some text']
  t.match(await curl(...chunked, `${url}/echo`), /^some text$/, 'chunked request body')
  const expecting = ['-v', '-H', 'Expect: 100-continue', '-d', 'some text']
  const { stdout, stderr } = await run('curl', ['-sS', ...expecting, `${url}/echo`])
  t.equal(stdout, 'some text')
  t.match(stderr, /< HTTP\/1\.1 100 Continue/)
  const { stderr: reused } = await run('curl', ['-sSv', `${url}/`, `${url}/`])
  t.match(reused, /Re-using existing connection/, 'keep-alive')
  t.match(await curl('-i', '-X', 'DELETE', `${url}/echo`), /^HTTP\/1\.1 405 [\s\S]*\r\nallow: /)
})

t.test('wrk: two workers, no errors', { skip: missing('wrk') }, async (t) => {
  const url = await serveExample(t, 'hello.ts')
  const { stdout } = await run('wrk', ['-t1', '-c32', '-d2s', `${url}/`])
  t.match(stdout, /[1-9]\d* requests in/)
  t.notMatch(stdout, /Socket errors|Non-2xx/)
  const pipeline = path('../../bench/load/pipeline.lua')
  const piped = await run('wrk', ['-t1', '-c8', '-d1s', '-s', pipeline, `${url}/`])
  t.match(piped.stdout, /[1-9]\d* requests in/)
  t.notMatch(piped.stdout, /Socket errors|Non-2xx/, '16 pipelined')
})

t.test("Node's fetch", async (t) => {
  const url = await serveExample(t, 'echo.ts')
  const response = await fetch(`${url}/`)
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
  t.equal(await response.text(), 'POST something to /echo\n')
  const body = new Uint8Array(300_000).map((_, index) => index % 251)
  const echo = await fetch(`${url}/echo`, { method: 'POST', body })
  t.equal(echo.headers.get('content-type'), 'application/octet-stream')
  t.ok(Buffer.from(await echo.arrayBuffer()).equals(body), '300 kB come back as they were sent')
  const tooLarge = await fetch(`${url}/echo`, { method: 'POST', body: new Uint8Array(1_048_577) })
  t.equal(tooLarge.status, 413)
})

t.test('undici with 10 pipelined requests: answers are in order', async (t) => {
  const url = await serveExample(t, 'stream.ts')
  const client = new Client(url, { pipelining: 10 })
  t.teardown(() => client.close())
  const counts = Array.from({ length: 50 }, (_, index) => (index * 7) % 50)
  const bodies = await Promise.all(
    counts.map(async (to) => {
      const { body } = await client.request({ method: 'GET', path: `/count/${to}` })
      return body.text()
    }),
  )
  for (const [index, to] of counts.entries()) {
    const expected = Array.from({ length: to }, (_, line) => `${line + 1}\n`).join('')
    if (bodies[index] !== expected) t.equal(bodies[index], expected)
  }
  t.equal(bodies.length, 50)
})

t.test('a Hono application, served unchanged', async (t) => {
  const url = await serveExample(t, 'hono.ts')
  t.equal(await (await fetch(`${url}/`)).text(), 'Hello, Hono!')
  t.same(await (await fetch(`${url}/users/7`)).json(), { id: '7' })
  t.equal(
    await (await fetch(`${url}/echo`, { method: 'POST', body: 'x'.repeat(5000) })).text(),
    'x'.repeat(5000),
  )
  t.equal((await fetch(`${url}/nowhere`)).status, 404)
})
