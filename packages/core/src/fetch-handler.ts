import type { FetchApplication, Handler } from './handler.ts'
import { problem } from './response.ts'
import { toWebRequest } from './web-request.ts'

const NOT_IMPLEMENTED = problem(501)

/** Serves a web-standard application: its `fetch` is called with a standard Request. */
export function fetchHandler(application: FetchApplication): Handler {
  return (request) =>
    isForbidden(request.method) ? NOT_IMPLEMENTED : application.fetch(toWebRequest(request))
}

/** Methods that no standard Request can have (Fetch §4.1, forbidden method). */
function isForbidden(method: string): boolean {
  return method === 'TRACE' || method === 'TRACK'
}
