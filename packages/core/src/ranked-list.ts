/** An element of a field such as Accept, with its weight (RFC 9110 §12.4.2). */
export interface Ranked {
  /** In lower case, without the weight and what follows it; single spaces around `;` dropped. */
  readonly value: string
  /** 0 to 1. */
  readonly quality: number
}

/** The zero before the point may be missing: Java's own client sends `q=.2`. */
const WEIGHT = /^q=(0(?:\.\d{0,3})?|\.\d{1,3}|1(?:\.0{0,3})?)$/
/** What an element may begin with: a token, a media range or a language range. */
const RANGE = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/

/** The elements of a list in which each may have a weight. Those that are malformed are left out. */
export function rankedElements(field: string): Ranked[] {
  const ranked: Ranked[] = []
  for (const element of elements(field.toLowerCase(), ',')) {
    const [range = '', ...parameters] = elements(element, ';')
    if (!RANGE.test(range)) continue
    const weightAt = parameters.findIndex((parameter) => parameter.startsWith('q='))
    const weight = weightAt < 0 ? '1' : WEIGHT.exec(parameters[weightAt] ?? '')?.[1]
    if (weight === undefined) continue
    const kept = weightAt < 0 ? parameters : parameters.slice(0, weightAt)
    ranked.push({ value: [range, ...kept].join(';'), quality: Number(weight) })
  }
  return ranked
}

/** The parts of a list, trimmed, empty ones left out; a separator within quotes separates nothing. */
export function elements(text: string, separator: ',' | ';'): string[] {
  if (!text.includes('"')) return text.split(separator).map(trim).filter(isSome)
  const parts: string[] = []
  let start = 0
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '"') isQuoted = !isQuoted
    // A backslash in quotes takes the next character with it (RFC 9110 §5.6.4).
    else if (character === '\\' && isQuoted) i++
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  parts.push(text.slice(start))
  return parts.map(trim).filter(isSome)
}

function trim(text: string): string {
  return text.trim()
}

function isSome(text: string): boolean {
  return text !== ''
}
