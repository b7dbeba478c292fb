import { HttpError, type HttpRequest, isJsonType, mainValue } from '@rr/core'

const FORM_TYPE = 'application/x-www-form-urlencoded'

/** Fields by name: a string, or an array where the name comes again. Inherits nothing. */
export type Fields = Record<string, string | string[]>

export function fieldsOf(pairs: Iterable<[string, string]>): Fields {
  const fields = Object.create(null) as Fields
  for (const [name, value] of pairs) {
    const earlier = fields[name]
    if (earlier === undefined) fields[name] = value
    else if (typeof earlier === 'string') fields[name] = [earlier, value]
    else earlier.push(value)
  }
  return fields
}

/**
 * What a body says, by its media type; undefined where there is no body. A body whose type is not
 * named is refused: that is how a form on another site would send JSON without the browser asking.
 *
 * @throws HttpError 415; RrError as `request.json` and `request.form`
 */
export async function readBodyValue(request: HttpRequest): Promise<unknown> {
  if (!request.hasBody) return undefined
  const contentType = request.headers.get('content-type') ?? ''
  if (isJsonType(contentType)) return await request.json()
  const type = mainValue(contentType)
  if (type === FORM_TYPE) return fieldsOf(await request.form())
  throw new HttpError(
    415,
    `the body is ${type === '' ? 'of no media type' : type}, and application/json or ` +
      `${FORM_TYPE} is expected here`,
  )
}
