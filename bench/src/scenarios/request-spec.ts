import type { ExpectedAnswer, RequestSpec, Scenario } from '../model.ts'
import { TEXT_TYPE } from './payloads.ts'

/** A request and its answer, as scenarios list them. */
export type Exchange = Scenario['requests'][number]

type Fields = readonly (readonly [string, string])[]

const encoder = new TextEncoder()

export function get(target: string, headers: Fields = []): RequestSpec {
  return { method: 'GET', target, headers, body: null, bodyMode: 'length' }
}

export function head(target: string): RequestSpec {
  return { method: 'HEAD', target, headers: [], body: null, bodyMode: 'length' }
}

export function post(
  target: string,
  contentType: string,
  body: Uint8Array | string,
  bodyMode: RequestSpec['bodyMode'] = 'length',
): RequestSpec {
  return {
    method: 'POST',
    target,
    headers: [['content-type', contentType]],
    body: toBytes(body),
    bodyMode,
  }
}

/** An answer with exactly this body; 200 and text unless `rest` says otherwise. */
export function answer(
  body: Uint8Array | string,
  rest: Partial<ExpectedAnswer> = {},
): ExpectedAnswer {
  const common = { status: 200, contentType: TEXT_TYPE, checkBody: null, headers: [] }
  return { ...common, body: toBytes(body), ...rest }
}

const toBytes = (body: Uint8Array | string): Uint8Array =>
  typeof body === 'string' ? encoder.encode(body) : body
