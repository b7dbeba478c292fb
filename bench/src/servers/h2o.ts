import { join } from 'node:path'
import type { BenchServer } from '../model.ts'
import * as payloads from '../scenarios/payloads.ts'
import { announced, withoutAll, writeRunFolder } from './configured-server.ts'
import { findExecutables, outputOf } from './executables.ts'

const findH2o = (): string | undefined => findExecutables('h2o')[0]

function configuration(folder: string, port: number, workers: number): string {
  return `
listen:
  host: 127.0.0.1
  port: ${port}
num-threads: ${workers}
max-connections: 16384
${process.getuid?.() === 0 ? 'user: root' : ''}
pid-file: ${folder}/h2o.pid
error-log: ${folder}/error.log
file.mime.setdefaulttype: "${payloads.BYTES_TYPE}"
file.mime.settypes:
  "${payloads.TEXT_TYPE}": [".txt"]
error-doc:
  - status: 404
    url: /404.txt
hosts:
  default:
    paths:
      "/":
        file.dir: ${folder}/files
        file.index: [hello.txt]
      "/page":
        file.file: ${folder}/files/page.txt
      "/report":
        file.file: ${folder}/files/report.txt
        compress:
          gzip: ${payloads.GZIP_LEVEL}
`
}

/** h2o, from Debian's package; only what it answers from files. */
export const H2O: BenchServer = {
  name: 'h2o',
  without: {
    ...withoutAll('h2o alone computes no answer', [
      ...['json', 'headers_heavy', 'cookies_heavy', 'url_with_qs'],
      ...['varied_paths_router', 'mixed_workload'],
    ]),
    ...withoutAll('h2o alone reads no request body', [
      ...['echo', 'post_4kb_form', 'large_post_streaming'],
      ...['chunked_request_body', 'expect_100_continue'],
    ]),
    ...withoutAll('h2o alone produces no stream', ['streaming_response', 'server_sent_events']),
    redirect: 'h2o adds a page of its own to a redirect',
  },
  canScale: true,
  async probe() {
    const program = findH2o()
    if (program === undefined) return { missing: 'not installed; Debian: apt-get install h2o' }
    const version = /h2o version ([\d.]+)/.exec((await outputOf(program, ['-v'])) ?? '')?.[1]
    return version === undefined ? { missing: `${program} -v failed` } : { version }
  },
  async command({ port, workers }) {
    const folder = writeRunFolder('h2o', (path) => ({
      'h2o.conf': configuration(path, port, workers),
      'files/hello.txt': payloads.HELLO,
      'files/404.txt': payloads.NOT_FOUND,
      'files/page.txt': payloads.ETAG_BODY,
      'files/report.txt': payloads.COMPRESSIBLE,
      'files/large/64k': payloads.LARGE_64K,
      'files/large/1m': payloads.LARGE_1M,
    }))
    return announced(findH2o() ?? 'h2o', ['-c', join(folder, 'h2o.conf')], port, folder)
  },
}
