import { discardBody, type HttpResponse } from '@rr/core'

/** Lets go of what an answer that is not sent holds: the source of a stream. */
export function releaseBody({ body }: HttpResponse): void {
  if (typeof body === 'object' && body !== null && !(body instanceof Uint8Array)) discardBody(body)
}
