import { request } from 'node:http'
import type { Server } from '../../src/server.ts'
import { type ParsedFamily, parseExposition } from './exposition-parser.ts'

export interface AdminAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Asks a server's admin server, with any method and fields. */
export function askAdmin(
  { admin }: Pick<Server, 'admin'>,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const { host, port } = admin!
    const sent = request({ host, port, path, agent: false, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}

export async function readMetrics(server: Server): Promise<Map<string, ParsedFamily>> {
  return parseExposition((await askAdmin(server, '/metrics')).body)
}

/** The sum of the samples of a metric whose labels are these, among others. */
export function sumOf(
  metrics: Map<string, ParsedFamily>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = metrics.get(name) ?? metrics.get(name.replace(/_(?:bucket|sum|count)$/, ''))
  const wanted = Object.entries(labels)
  return (family?.samples ?? [])
    .filter((sample) => sample.name === name)
    .filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
