import type { Spread } from '../grid/statistics.ts'

/** How figures look in tables and plots. */

const NOTHING = '—'
const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export const integer = (value: number): string => integers.format(value)

export const fixed =
  (digits: number) =>
  (value: number): string =>
    value.toFixed(digits)

export const mebibytes = (bytes: number): string => integer(bytes / (1024 * 1024))

/** Microseconds as milliseconds with three digits that count. */
export function milliseconds(microseconds: number): string {
  const value = microseconds / 1000
  if (value >= 100) return integer(value)
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3)
}

/** `12 (11 to 14)`: median, smallest, largest. One round has no spread to show. */
export function spreadText(spread: Spread | null, format: (value: number) => string): string {
  if (spread === null) return NOTHING
  const middle = format(spread.median)
  return spread.count === 1 ? middle : `${middle} (${format(spread.min)} to ${format(spread.max)})`
}

export function medianText(spread: Spread | null, format: (value: number) => string): string {
  return spread === null ? NOTHING : format(spread.median)
}

export const percent = (fraction: number): string => `${Math.round(fraction * 100)} %`

/** A table of GitHub's Markdown; cells hold no line break. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
