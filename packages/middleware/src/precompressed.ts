/** Which compressed copy of a file a client is best served with (RFC 9110 §12.5.3). */

/** A content coding that has copies beside the file. */
export type Precompressed = 'br' | 'zstd' | 'gzip'

/** The endings of the copies' names. */
export const COPY_EXTENSIONS: Readonly<Record<Precompressed, string>> = {
  br: '.br',
  zstd: '.zst',
  gzip: '.gz',
}

const MEMBER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*(?:;[ \t]*q=([01](?:\.\d{0,3})?))?$/i

/**
 * The codings among `available` that the client takes, best first; equally liked ones in the order
 * of `available`. Those that it likes less than the file as it is are left out.
 *
 * @param field the value of Accept-Encoding; null, when it was not sent, takes none
 */
export function acceptedCodings(
  field: string | null,
  available: readonly Precompressed[],
): readonly Precompressed[] {
  if (field === null) return []
  const weights = parseWeights(field)
  const others = weights.get('*')
  const identity = weights.get('identity') ?? 0
  const accepted: { coding: Precompressed; weight: number }[] = []
  for (const coding of available) {
    const named = weights.get(coding) ?? (coding === 'gzip' ? weights.get('x-gzip') : undefined)
    const weight = named ?? others ?? 0
    if (weight > 0 && weight >= identity) accepted.push({ coding, weight })
  }
  return accepted.sort((a, b) => b.weight - a.weight).map(({ coding }) => coding)
}

/** Members that are malformed are left out. */
function parseWeights(field: string): Map<string, number> {
  const weights = new Map<string, number>()
  for (const member of field.split(',')) {
    const match = MEMBER.exec(member.trim())
    if (match?.[1] === undefined) continue
    const weight = match[2] === undefined ? 1 : Number(match[2])
    if (weight <= 1) weights.set(match[1].toLowerCase(), weight)
  }
  return weights
}
