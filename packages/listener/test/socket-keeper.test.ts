import { execFileSync } from 'node:child_process'
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import t, { type Test } from 'tap'
import { socketCalls } from '../src/socket-calls.ts'
import { listeningDescriptor } from '../src/socket-internals.ts'
import { SocketKeeper } from '../src/socket-keeper.ts'
import { RawClient } from './support/raw-client.ts'

const NEEDS_CALLS = socketCalls() === null ? { skip: 'no such system calls here' } : {}

async function listening(t: Test): Promise<{ server: Server; descriptor: number; inode: number }> {
  const server = createServer((socket) => socket.end('served'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const descriptor = listeningDescriptor(server)!
  return { server, descriptor, inode: fstatSync(descriptor).ino }
}

t.test('the system calls are there where Node.js and the platform have them', async (t) => {
  const hasFfi = process.getBuiltinModule('node:ffi') !== undefined
  const isKnown = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
  t.equal(socketCalls() !== null, hasFfi && isKnown)
  t.equal(socketCalls(), socketCalls(), 'loaded once')
})

t.test('loading them prints no warning', NEEDS_CALLS, async (t) => {
  const url = new URL('../src/socket-calls.ts', import.meta.url).href
  const script = `import(${JSON.stringify(url)}).then((module) => console.log(module.socketCalls() !== null))`
  const output = execFileSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.equal(output, 'true\n')
})

t.test('a socket that is kept accepts for whoever opens it next', NEEDS_CALLS, async (t) => {
  const { server, descriptor, inode } = await listening(t)
  const { port } = server.address() as AddressInfo
  const keeper = new SocketKeeper()
  keeper.keep({ descriptor, inode })
  t.teardown(() => keeper.release())
  t.ok(keeper.isKeeping)
  await new Promise((resolve) => server.close(resolve))
  const client = await RawClient.connect(port)
  t.teardown(() => client.close())
  const next = createServer((socket) => socket.end('served by the next'))
  next.listen({ fd: keeper.lend()! })
  t.teardown(() => next.close())
  await client.expect(/served by the next/)
})

t.test('a descriptor that stands for another file by now is not kept', NEEDS_CALLS, async (t) => {
  const { descriptor, inode } = await listening(t)
  const file = openSync(process.execPath, 'r')
  t.teardown(() => closeSync(file))
  const before = openDescriptors()
  const keeper = new SocketKeeper()
  keeper.keep({ descriptor: file, inode })
  keeper.keep({ descriptor: 100_000, inode })
  keeper.keep({ descriptor: null, inode })
  t.notOk(keeper.isKeeping)
  t.equal(keeper.lend(), null)
  t.equal(openDescriptors(), before, 'none is left open')
  keeper.keep({ descriptor, inode })
  keeper.keep({ descriptor, inode })
  keeper.takeBack(keeper.lend()!)
  keeper.release()
  keeper.release()
  t.equal(openDescriptors(), before)
})

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

t.test('copies are not inherited by child processes', NEEDS_CALLS, async (t) => {
  const { descriptor, inode } = await listening(t)
  const keeper = new SocketKeeper()
  keeper.keep({ descriptor, inode })
  t.teardown(() => keeper.release())
  const links = execFileSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' })
  t.notMatch(links, `socket:[${inode}]`)
})

for (const isShared of [false, true]) {
  t.test(
    `without a descriptor to lend ${isShared ? 'a shared socket is kept' : 'a socket is let go of'}`,
    NEEDS_CALLS,
    async (t) => {
      const { descriptor, inode } = await listening(t)
      const calls = socketCalls()!
      let isShort = false
      const duplicate = (from: number): number | null => (isShort ? null : calls.duplicate(from))
      const keeper = new SocketKeeper(isShared, { ...calls, duplicate })
      t.teardown(() => keeper.release())
      keeper.keep({ descriptor, inode })
      isShort = true
      t.equal(keeper.lend(), null)
      t.equal(keeper.isKeeping, isShared)
    },
  )
}

t.test('without the system calls nothing is kept', async (t) => {
  const { descriptor, inode } = await listening(t)
  const keeper = new SocketKeeper(false, null)
  keeper.keep({ descriptor, inode })
  t.notOk(keeper.isKeeping)
  t.equal(keeper.lend(), null)
  keeper.release()
})
