/** Entity tags and lists of them (RFC 9110 §8.8.3, §13.1). */

/** `etagc` leaves out DQUOTE, spaces and controls, and takes commas. */
const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/
const NEXT_TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,|$)/y

/** True for one well-formed entity tag, weak or strong. */
export function isEntityTag(text: string): boolean {
  return ENTITY_TAG.test(text)
}

/** True for a tag marked as weak. */
export function isWeakTag(tag: string): boolean {
  return tag.startsWith('W/')
}

/** Both strong, and the same (RFC 9110 §8.8.3.2). */
export function matchesStrongly(a: string, b: string): boolean {
  return a === b && !isWeakTag(a)
}

/** The same but for the mark of weakness (RFC 9110 §8.8.3.2). */
export function matchesWeakly(a: string, b: string): boolean {
  return opaquePart(a) === opaquePart(b)
}

/**
 * The value of If-Match or If-None-Match: `*`, or the well-formed tags among its members. A member
 * that is no tag matches nothing and is left out, so the list may be empty.
 */
export function parseEntityTags(value: string): '*' | readonly string[] {
  if (value.trim() === '*') return '*'
  const tags: string[] = []
  let position = 0
  // Each step moves past a comma, so the work is one pass whatever was sent.
  while (position < value.length) {
    const code = value.charCodeAt(position)
    if (code === 0x20 || code === 0x09 || code === 0x2c) {
      position++
      continue
    }
    NEXT_TAG.lastIndex = position
    const match = NEXT_TAG.exec(value)
    if (match !== null) {
      tags.push(match[0].replace(/[ \t]*,?$/, ''))
      position = NEXT_TAG.lastIndex
    } else {
      const comma = value.indexOf(',', position)
      position = comma < 0 ? value.length : comma + 1
    }
  }
  return tags
}

/**
 * True when an If-Match or If-None-Match names the tag, by one of the two comparisons; `*` names any.
 */
export function includesTag(
  list: string,
  tag: string | null,
  matches: (a: string, b: string) => boolean,
): boolean {
  const tags = parseEntityTags(list)
  return tags === '*' || (tag !== null && tags.some((listed) => matches(listed, tag)))
}

function opaquePart(tag: string): string {
  return isWeakTag(tag) ? tag.slice(2) : tag
}
