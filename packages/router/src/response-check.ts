import { type HttpResponse, isJsonType, type Middleware, RrError } from '@rr/core'
import type { SchemaIssue, StandardSchema } from './standard-schema.ts'

/**
 * Checks what a handler answers against its route's schema: the text that is sent, so that what
 * JSON makes of a value counts. For development; in production it would cost a parse an answer.
 */
export function checkResponses(schema: StandardSchema): Middleware {
  const standard = schema['~standard']
  return async (request, next) => {
    const response = await next()
    const { status } = response
    const content = status <= 299 ? contentOf(response) : null
    if (content === null) return response
    const { issues } = await standard.validate(content.value)
    if (issues === undefined) return response
    throw new RrError(
      'RR_RESPONSE_MISMATCH',
      `the answer to ${request.method} ${request.route} does not match its schema: ${listIssues(issues)}`,
    )
  }
}

/** What the answer says, or null for one that a schema cannot be asked about. */
function contentOf({ headers, body }: HttpResponse): { readonly value: unknown } | null {
  const type = headers?.get('content-type') ?? ''
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return null
  const isJson = isJsonType(type)
  if (!isJson && !/^text\//i.test(type)) return null
  const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
  if (!isJson) return { value: text }
  try {
    return { value: JSON.parse(text) }
  } catch (cause) {
    throw new RrError('RR_RESPONSE_MISMATCH', 'the answer is said to be JSON and is not', { cause })
  }
}

/** For the log: a handful says what is wrong. */
function listIssues(issues: readonly SchemaIssue[]): string {
  const shown = issues.slice(0, 5).map(({ path = [], message }) => {
    const steps = path.map((step) => String(typeof step === 'object' ? step.key : step))
    return steps.length === 0 ? message : `${steps.join('.')}: ${message}`
  })
  return shown.join('; ') + (issues.length > shown.length ? ' …' : '')
}
