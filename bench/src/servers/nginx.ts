import { join } from 'node:path'
import type { BenchServer } from '../model.ts'
import * as payloads from '../scenarios/payloads.ts'
import { ROUTES, routeAnswer } from '../scenarios/route-table.ts'
import { announced, withoutAll, writeRunFolder } from './configured-server.ts'
import { findExecutables, outputOf } from './executables.ts'

const findNginx = (): string | undefined => findExecutables('nginx')[0]

/** nginx answers by `return` and from files; only root may name the user that reads them. */
function configuration(folder: string, port: number, workers: number): string {
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workers};
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path ${folder}/client_body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  types { }
  default_type "${payloads.TEXT_TYPE}";
  sendfile on;
  tcp_nopush on;
  open_file_cache max=100;
  # The default ends a connection after 1000 requests, which a driver would count as an error.
  keepalive_requests 1000000000;
  gzip_types *;
  gzip_comp_level ${payloads.GZIP_LEVEL};
  server {
    listen 127.0.0.1:${port} reuseport backlog=511;
    root ${folder};
    location = / { return 200 "${payloads.HELLO}"; }
    location = /headers { return 200 $http_${payloads.TAG_HEADER.replaceAll('-', '_')}; }
    location = /cookies { return 200 $cookie_${payloads.SESSION_COOKIE}; }
    location = /page { try_files /page.txt =404; }
    location = /large/64k { default_type ${payloads.BYTES_TYPE}; try_files /64k =404; }
    location = /large/1m { default_type ${payloads.BYTES_TYPE}; try_files /1m =404; }
    location = /report { gzip on; try_files /report.txt =404; }
${ROUTES.map(location).join('\n')}
    location / { return 404 "${payloads.NOT_FOUND}"; }
  }
}
`
}

function location({ index, pattern, params }: (typeof ROUTES)[number]): string {
  const [first, second] = params
  if (first === undefined)
    return `    location = ${pattern} { return 200 "${routeAnswer(index)}"; }`
  const expression = pattern.replace(/:(\w+)/g, '(?<$1>[^/]+)')
  const answer = routeAnswer(index, `$${first}`, second === undefined ? undefined : `$${second}`)
  return `    location ~ "^${expression}$" { return 200 "${answer}"; }`
}

/** nginx, from Debian's package; only what it answers without a program behind it. */
export const NGINX: BenchServer = {
  name: 'nginx',
  without: {
    ...withoutAll('nginx alone computes no answer', ['json', 'mixed_workload']),
    ...withoutAll('nginx alone reads no request body', [
      ...['echo', 'post_4kb_form', 'large_post_streaming'],
      ...['chunked_request_body', 'expect_100_continue'],
    ]),
    ...withoutAll('nginx alone produces no stream', ['streaming_response', 'server_sent_events']),
    url_with_qs: 'nginx alone does not decode a query parameter',
    redirect: 'nginx adds a page of its own to a redirect',
  },
  canScale: true,
  async probe() {
    const program = findNginx()
    if (program === undefined) return { missing: 'not installed; Debian: apt-get install nginx' }
    const version = /nginx\/([\d.]+)/.exec((await outputOf(program, ['-v'])) ?? '')?.[1]
    return version === undefined ? { missing: `${program} -v failed` } : { version }
  },
  async command({ port, workers }) {
    const folder = writeRunFolder('nginx', (path) => ({
      'nginx.conf': configuration(path, port, workers),
      '64k': payloads.LARGE_64K,
      '1m': payloads.LARGE_1M,
      'page.txt': payloads.ETAG_BODY,
      'report.txt': payloads.COMPRESSIBLE,
    }))
    const parameters = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr']
    return announced(findNginx() ?? 'nginx', parameters, port, folder)
  },
}
