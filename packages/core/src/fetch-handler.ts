import type { FetchApplication, Handler } from './handler.ts'
import { toWebRequest } from './web-request.ts'

/** Serves a web-standard application: its `fetch` is called with a standard Request. */
export function fetchHandler(application: FetchApplication): Handler {
  return (request) => application.fetch(toWebRequest(request))
}
