import { readFileSync } from 'node:fs'

/** A place in a source file; line and column count from 1. */
export interface SourcePlace {
  readonly path: string
  readonly line: number
  readonly column: number
}

const LINES_BEFORE = 2
const LINES_AFTER = 1
const MAX_COLUMNS = 160

/**
 * The lines around a place with a caret under it, in the form
 *
 *     1 | import { a } from './a.ts'
 *   > 2 | const b: = a
 *       |          ^
 *
 * Empty where the file cannot be read or is shorter: what is wrong is then still said in words.
 */
export function codeFrame(place: SourcePlace): string {
  const lines = readLines(place.path)
  if (place.line > lines.length) return ''
  const first = Math.max(1, place.line - LINES_BEFORE)
  const end = lines.at(-1) === '' && place.line < lines.length ? lines.length - 1 : lines.length
  const last = Math.min(end, place.line + LINES_AFTER)
  const width = String(last).length
  const frame: string[] = []
  for (let number = first; number <= last; number++) {
    const text = (lines[number - 1] ?? '').slice(0, MAX_COLUMNS)
    const mark = number === place.line ? '>' : ' '
    frame.push(`${mark} ${String(number).padStart(width)} | ${text}`.trimEnd())
    if (number === place.line && place.column <= MAX_COLUMNS) {
      // Tabs are repeated, so that the caret stands under its character however wide they are.
      const indent = text.slice(0, place.column - 1).replace(/[^\t]/g, ' ')
      frame.push(`  ${' '.repeat(width)} | ${indent}^`)
    }
  }
  return frame.join('\n')
}

/** The first place in a file where a string literal is `text`, or null. */
export function findLiteral(path: string, matches: (text: string) => boolean): SourcePlace | null {
  for (const [index, line] of readLines(path).entries()) {
    for (const literal of line.matchAll(/(['"`])((?:(?!\1).)+)\1/g)) {
      if (matches(literal[2] ?? '')) return { path, line: index + 1, column: literal.index + 1 }
    }
  }
  return null
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/)
  } catch {
    return []
  }
}
