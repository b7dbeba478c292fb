import type { BenchServer } from './model.ts'
import { H2O } from './servers/h2o.ts'
import { NGINX } from './servers/nginx.ts'
import { NODE_SERVERS } from './servers/node-servers.ts'
import { RUNTIME_SERVERS } from './servers/runtime-servers.ts'
import { UWS } from './servers/uws.ts'

/** All servers, in the order of the results page: rr, what runs on Node, then the others. */
export const SERVERS: readonly BenchServer[] = [
  ...NODE_SERVERS,
  ...RUNTIME_SERVERS,
  UWS,
  NGINX,
  H2O,
]
