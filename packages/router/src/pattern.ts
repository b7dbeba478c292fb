import { isDotSegment, normalizeSegment } from './path-normal-form.ts'

/**
 * Segments a pattern may have. Matching recurses once a segment, so this bounds its stack; a request
 * line of 8 KiB with more of them than this names nothing that anyone would write down.
 */
export const MAX_PATTERN_SEGMENTS = 256

/** A static segment, in normal form. */
export interface StaticSegment {
  readonly kind: 'static'
  readonly text: string
}

/** A parameter for one segment, or a wildcard for the rest of the path. */
export interface ParamSegment {
  readonly kind: 'param' | 'wildcard'
  readonly name: string
}

export type PatternSegment = StaticSegment | ParamSegment

/** A pattern that has been checked. */
export interface Pattern {
  /** As written, prefix included. */
  readonly source: string
  readonly segments: readonly PatternSegment[]
  /** Equal for two patterns exactly when they match the same paths. */
  readonly shape: string
  /** The path in normal form when no segment is a parameter, else null. */
  readonly staticPath: string | null
}

/** Why a pattern is none. */
export interface PatternFault {
  readonly fault: string
}

/** Stand for a parameter and a wildcard in a shape; in normal form neither is ever a raw character. */
const PARAM_SHAPE = '?'
const WILDCARD_SHAPE = '#'

const PARAM_NAME = /^[A-Za-z_$][A-Za-z0-9_$]*$/

/** Characters that mean something here or in other routers; taken literally they would surprise. */
const RESERVED = /[:*?#{}\\]/

/** Reads a pattern; never throws. */
export function parsePattern(source: string): Pattern | PatternFault {
  if (!source.startsWith('/')) return { fault: "it must start with '/'" }
  const texts = source.slice(1).split('/')
  if (texts.length > MAX_PATTERN_SEGMENTS) {
    return { fault: `it has more than ${MAX_PATTERN_SEGMENTS} segments` }
  }
  const segments: PatternSegment[] = []
  const names = new Set<string>()
  for (const [index, text] of texts.entries()) {
    const last = index === texts.length - 1
    if (text === '' && !last) return { fault: "it has an empty segment ('//')" }
    const segment = parseSegment(text)
    if ('fault' in segment) return segment
    if (segment.kind === 'wildcard' && !last) {
      return { fault: `the wildcard '${text}' is not its last segment` }
    }
    if (segment.kind !== 'static') {
      if (names.has(segment.name)) return { fault: `the name '${segment.name}' is in it twice` }
      names.add(segment.name)
    }
    segments.push(segment)
  }
  const shape = segments.map(segmentShape).join('')
  return { source, segments, shape, staticPath: names.size === 0 ? shape : null }
}

function parseSegment(text: string): PatternSegment | PatternFault {
  if (text.startsWith(':')) return parseParam('param', text)
  if (text.startsWith('*')) return parseParam('wildcard', text)
  const reserved = RESERVED.exec(text)?.[0]
  if (reserved !== undefined) {
    const encoded = `%${reserved.charCodeAt(0).toString(16).toUpperCase()}`
    return { fault: `'${reserved}' in the segment '${text}' must be written ${encoded}` }
  }
  const normal = normalizeSegment(text)
  if (normal === null) return { fault: `the segment '${text}' is not valid percent-encoded UTF-8` }
  if (isDotSegment(normal, 0, normal.length)) {
    return { fault: `the segment '${text}' is a dot segment, which no request can have` }
  }
  return { kind: 'static', text: normal }
}

function parseParam(kind: 'param' | 'wildcard', text: string): PatternSegment | PatternFault {
  const name = text.slice(1)
  if (name === '') return { fault: `'${text}' needs a name, as in '${text}name'` }
  // A name that sets the prototype where a handler copies the parameters one by one.
  if (name === '__proto__') return { fault: "'__proto__' cannot be a name" }
  if (!PARAM_NAME.test(name)) {
    return { fault: `'${name}' is not a name: letters, digits, '_' and '$', no digit first` }
  }
  return { kind, name }
}

function segmentShape(segment: PatternSegment): string {
  if (segment.kind === 'static') return `/${segment.text}`
  return segment.kind === 'param' ? `/${PARAM_SHAPE}` : `/${WILDCARD_SHAPE}`
}
