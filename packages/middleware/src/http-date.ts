/** Dates in HTTP fields (RFC 9110 §5.6.7). */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = MONTHS.join('|')
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'

/** IMF-fixdate, the two obsolete forms that a recipient must take too; case matters. */
const FORMS: readonly RegExp[] = [
  new RegExp(
    `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\\d\\d) (?<month>${MONTH}) (?<year>\\d{4}) ${TIME} GMT$`,
  ),
  new RegExp(
    `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-(?<month>${MONTH})-(?<year>\\d\\d) ${TIME} GMT$`,
  ),
  new RegExp(
    `^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>${MONTH}) (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`,
  ),
]

/** The last moment that four digits of year can express. */
const MAX_DATE_MS = Date.UTC(9999, 11, 31, 23, 59, 59)

/**
 * Reads an HTTP-date in any of its three forms (RFC 9110 §5.6.7).
 *
 * @param nowMs what the two-digit year of the RFC 850 form is near to
 * @returns milliseconds since 1970, a whole second; null for what is no date, such as 30 February
 */
export function parseHttpDate(text: string, nowMs: number = Date.now()): number | null {
  for (const form of FORMS) {
    const fields = form.exec(text)?.groups
    if (fields !== undefined) return toTime(fields, nowMs)
  }
  return null
}

/**
 * A time as an IMF-fixdate, cut to the second; null where four digits of year do not reach.
 *
 * @param timeMs milliseconds since 1970
 */
export function formatHttpDate(timeMs: number): string | null {
  const date = new Date(timeMs)
  if (!(timeMs <= MAX_DATE_MS) || date.getUTCFullYear() < 0) return null
  return date.toUTCString()
}

function toTime(fields: Record<string, string | undefined>, nowMs: number): number | null {
  const month = MONTHS.indexOf(fields['month'] ?? '')
  const day = Number(fields['day'])
  const hour = Number(fields['hour'])
  const minute = Number(fields['minute'])
  const second = Number(fields['second'])
  // A leap second is in the grammar; it counts as the second that follows it.
  if (hour > 23 || minute > 59 || second > 60) return null
  const date = new Date(0)
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(fullYear(fields['year'] ?? '', nowMs), month, day)
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return null
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000
}

/** Two digits that would be more than 50 years ahead are the last such year of the past. */
function fullYear(digits: string, nowMs: number): number {
  const year = Number(digits)
  if (digits.length === 4) return year
  const thisYear = new Date(nowMs).getUTCFullYear()
  const sameCentury = thisYear - (thisYear % 100) + year
  return sameCentury > thisYear + 50 ? sameCentury - 100 : sameCentury
}
