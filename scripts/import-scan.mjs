/**
 * @typedef {object} ImportEdge
 * @property {string} specifier
 * @property {string} clause what is imported, such as `{ a, b }`; empty where nothing is named
 * @property {boolean} typeOnly true when nothing of it is left at run time
 * @property {number} line
 */

/** From the start of a line, where the formatter puts every import and re-export. */
const STATIC_IMPORT =
  /^(?:import|export)\b(?<clause>[^'"`;=()]*?)\bfrom\s*['"](?<specifier>[^'"\n]+)['"]/gm
const BARE_IMPORT = /^import\s*['"](?<specifier>[^'"\n]+)['"]/gm
const CALL = /\b(?:import|require|require\.resolve)\(\s*['"](?<specifier>[^'"\n]+)['"]/g

/**
 * Finds what a source file imports, by `import`, `export ... from`, `import()` and `require()`.
 * `import('x')` in a type position counts too, as a run-time import: the rules are strict there.
 *
 * @param {string} source
 * @returns {ImportEdge[]}
 */
export function scanImports(source) {
  const code = blankComments(source)
  const lineOf = lineCounter(code)
  /** @type {ImportEdge[]} */
  const found = []
  for (const pattern of [STATIC_IMPORT, BARE_IMPORT, CALL]) {
    for (const match of code.matchAll(pattern)) {
      const specifier = match.groups?.specifier
      if (specifier === undefined) continue
      // `import { type A } from 'x'` still loads x at run time; only `import type` does not.
      // The clause ends before `from`, so a lone `type` is the name of a default import.
      const clause = match.groups?.clause?.trim().replace(/\s+/g, ' ') ?? ''
      const typeOnly = /^type\b(?! ?(?:,|$))/.test(clause)
      found.push({ specifier, clause, typeOnly, line: lineOf(match.index) })
    }
  }
  return found.sort((a, b) => a.line - b.line)
}

/**
 * Comment lines become empty ones, so that line numbers stay. A comment behind code is left: it
 * cannot begin a line, and text such as `'https://x'` must not be taken for one.
 *
 * @param {string} source
 */
function blankComments(source) {
  return source
    .replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/^[ \t]*\/\/.*$/gm, '')
}

/** @param {string} text */
function lineCounter(text) {
  return (/** @type {number} */ index) => text.slice(0, index).split('\n').length
}
