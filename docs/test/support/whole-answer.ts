import { type RequestOptions, request } from 'node:http'

/** An answer with what `fetch` does not show of it. */
export interface WholeAnswer {
  /** The status and the `link` of each interim answer. */
  readonly interim: readonly (readonly [status: number, link: unknown])[]
  readonly status: number | undefined
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
  readonly trailers: NodeJS.Dict<string>
}

/** Asks on a connection of its own. */
export function ask(url: string, options: RequestOptions = {}): Promise<WholeAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WholeAnswer>()
  const interim: [number, unknown][] = []
  request(url, { agent: false, ...options }, async (response) => {
    const { statusCode: status, headers } = response
    try {
      const body = (await response.toArray()).join('')
      resolve({ interim, status, headers, body, trailers: response.trailers })
    } catch (error) {
      reject(error)
    }
  })
    .on('information', ({ statusCode, headers }) => interim.push([statusCode, headers.link]))
    .on('error', reject)
    .end()
  return promise
}
