import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Connections that have been answered once and now do nothing. */
export interface IdleConnections {
  /** How many of them the server has not closed. */
  readonly open: number
  /** Closes them; resolves when all are gone. */
  close(): Promise<void>
}

/** How many connections are being made at a time: below any server's backlog. */
const AT_A_TIME = 100
const REQUEST = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'

/** Opens connections, each of which sends one request and reads its answer. */
export async function openIdleConnections(url: string, count: number): Promise<IdleConnections> {
  const { hostname, port } = new URL(url)
  const sockets: Socket[] = []
  let closed = 0
  let next = 0
  const openSome = async (): Promise<void> => {
    while (next < count) {
      next++
      const socket = connect({ host: hostname, port: Number(port) })
      socket.on('close', () => {
        closed++
      })
      socket.write(REQUEST)
      // The answer is smaller than a segment: it comes whole.
      await once(socket, 'data')
      sockets.push(socket)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count) }, openSome))
  return {
    get open() {
      return sockets.length - closed
    },
    close: async () => {
      const closing = sockets.filter((socket) => !socket.closed)
      await Promise.all(
        closing.map((socket) => {
          const gone = once(socket, 'close')
          socket.end()
          socket.resume()
          return gone
        }),
      )
    },
  }
}
