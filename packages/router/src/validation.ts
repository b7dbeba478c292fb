import type { Handler, HandlerResult, HttpRequest } from '@rr/core'
import { fieldsOf, readBodyValue } from './request-values.ts'
import type { RouteSchema } from './route-options.ts'
import type { SchemaResult, StandardSchema } from './standard-schema.ts'
import { describeIssues, type RequestPart, ValidationError } from './validation-error.ts'

type Outcome = SchemaResult<unknown> | Promise<SchemaResult<unknown>>

/** A part of a request with its schema. */
interface PartCheck {
  readonly part: RequestPart
  readonly run: (request: HttpRequest) => Outcome
}

/**
 * `handler` behind the schemas of its route, or as it is where there are none. All parts are checked
 * before it is told of any fault, so that a client learns of all of them at once. Nothing waits that
 * need not: without a body and with schemas that answer at once, the handler is called at once.
 */
export function validateRequests(schema: RouteSchema, handler: Handler): Handler {
  const checks = partChecks(schema)
  if (checks.length === 0) return handler
  return (request) => {
    const outcomes = startChecks(checks, request)
    return outcomes.some(isPromise)
      ? Promise.all(outcomes).then((results) => finish(checks, results, request, handler))
      : finish(checks, outcomes as SchemaResult<unknown>[], request, handler)
  }
}

function partChecks({ params, query, headers, body }: RouteSchema): PartCheck[] {
  const checks: PartCheck[] = []
  const add = (
    part: RequestPart,
    schema: StandardSchema | undefined,
    read: (request: HttpRequest) => unknown,
  ): void => {
    if (schema === undefined) return
    const standard = schema['~standard']
    checks.push({ part, run: (request) => standard.validate(read(request)) })
  }
  add('params', params, (request) => request.params)
  add('query', query, (request) => fieldsOf(request.query))
  add('headers', headers, (request) => headerFields(request))
  if (body !== undefined) {
    const standard = body['~standard']
    checks.push({
      part: 'body',
      run: async (request) => standard.validate(await readBodyValue(request)),
    })
  }
  return checks
}

/** Repeated fields as `headers.get` joins them. */
function headerFields({ headers }: HttpRequest): Record<string, string> {
  const fields = Object.create(null) as Record<string, string>
  for (const [name] of headers) fields[name] ??= headers.get(name) ?? ''
  return fields
}

function startChecks(checks: readonly PartCheck[], request: HttpRequest): Outcome[] {
  const outcomes: Outcome[] = []
  try {
    for (const check of checks) outcomes.push(check.run(request))
    return outcomes
  } catch (error) {
    // A query that is not even encoded: nobody will hear of what has been started.
    for (const outcome of outcomes) Promise.resolve(outcome).catch(() => {})
    throw error
  }
}

function finish(
  checks: readonly PartCheck[],
  results: readonly SchemaResult<unknown>[],
  request: HttpRequest,
  handler: Handler,
): HandlerResult {
  const valid: Partial<Record<RequestPart, unknown>> = {}
  const faults = checks.flatMap(({ part }, index) => {
    const result = results[index]!
    if (result.issues !== undefined) return describeIssues(part, result.issues)
    valid[part] = result.value
    return []
  })
  if (faults.length > 0) throw new ValidationError(faults)
  request.valid = valid
  return handler(request)
}

function isPromise(outcome: Outcome): outcome is Promise<SchemaResult<unknown>> {
  return 'then' in outcome
}
