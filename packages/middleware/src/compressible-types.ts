import db from 'mime-db'

/** Media types that mime-db, the table kept by the jshttp project, says gain from compression. */
const compressible = new Set<string>()
const known = new Set<string>()
for (const [type, entry] of Object.entries(db)) {
  if (entry.compressible === undefined) continue
  known.add(type)
  if (entry.compressible) compressible.add(type)
}

// The type of bytes of which nobody has said what they are: archives and images too.
compressible.delete('application/octet-stream')

// Lines of JSON have no registered type, and go by these names.
for (const name of ['x-ndjson', 'ndjson', 'jsonl', 'x-jsonlines']) {
  compressible.add(`application/${name}`)
}

/** Types that the table does not judge: text, and what is XML, JSON or text by its suffix. */
const TEXTUAL = /^text\/|\+(?:json|text|xml|yaml)$/

/**
 * True for a media type whose content compresses well.
 *
 * @param mediaType in lower case, without parameters
 */
export function isCompressibleType(mediaType: string): boolean {
  return compressible.has(mediaType) || (!known.has(mediaType) && TEXTUAL.test(mediaType))
}
