import type { FetchApplication, Handler } from './handler.ts'
import { HttpResponse } from './response.ts'
import { toWebRequest } from './web-request.ts'

const NOT_IMPLEMENTED = new HttpResponse(501, null, null)

/** Serves a web-standard application: its `fetch` is called with a standard Request. */
export function fetchHandler(application: FetchApplication): Handler {
  return (request) =>
    isForbidden(request.method) ? NOT_IMPLEMENTED : application.fetch(toWebRequest(request))
}

/** Methods that no standard Request can have (Fetch §4.1, forbidden method). */
function isForbidden(method: string): boolean {
  return method === 'TRACE' || method === 'TRACK'
}
