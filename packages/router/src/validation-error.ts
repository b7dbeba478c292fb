import { HttpError } from '@rr/core'
import type { SchemaIssue } from './standard-schema.ts'

/** What of a request a schema may be for. */
export type RequestPart = 'params' | 'query' | 'headers' | 'body'

/** One fault of a request, as the client is told of it. */
export interface RequestFault {
  readonly in: RequestPart
  /** From the part to what is wrong in it: property names and array indexes. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

/**
 * Bounds on what is told of a request's faults. A small body can have a fault in each byte, and
 * faults far down have long paths of the client's own making.
 */
const MAX_FAULTS = 100
const MAX_PATH_STEPS = 32
const MAX_TEXT_CHARACTERS = 200

/**
 * A request that does not match the schemas of its route. Answered 422 as
 * `application/problem+json`, with the faults as the member `errors`.
 */
export class ValidationError extends HttpError {
  /** The first hundred. */
  readonly faults: readonly RequestFault[]

  constructor(faults: readonly RequestFault[]) {
    const told = faults.slice(0, MAX_FAULTS)
    super(422, 'the request does not match what is expected here', { details: { errors: told } })
    this.faults = told
  }

  override get name(): string {
    return 'ValidationError'
  }
}

/** A schema's issues as faults of that part of the request; those that will be told of. */
export function describeIssues(
  part: RequestPart,
  issues: readonly SchemaIssue[],
): readonly RequestFault[] {
  return issues.slice(0, MAX_FAULTS).map(({ message, path }) => ({
    in: part,
    path: pathOf(path ?? []),
    message: clip(String(message)),
  }))
}

function pathOf(path: NonNullable<SchemaIssue['path']>): (string | number)[] {
  return path.slice(0, MAX_PATH_STEPS).map((step) => {
    const key = typeof step === 'object' ? step.key : step
    return typeof key === 'number' ? key : clip(String(key))
  })
}

function clip(text: string): string {
  return text.length <= MAX_TEXT_CHARACTERS ? text : `${text.slice(0, MAX_TEXT_CHARACTERS)}…`
}
