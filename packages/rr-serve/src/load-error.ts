import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codeFrame, findLiteral, type SourcePlace } from './code-frame.ts'
import { shownValue } from './shown-value.ts'
import { toJavaScript } from './typescript-hooks.ts'

const APPLICATION_LOAD_ERROR = 'ApplicationLoadError'

/** Of one error with all its causes, and theirs: enough to see why, however the errors are tied. */
const MAX_CAUSES = 20

/** Its message is what the user reads; it crosses from the worker to the main thread by its name. */
export class ApplicationLoadError extends Error {
  constructor(explanation: string) {
    super(explanation)
    // Its own frames are rr's; those that matter are in the explanation.
    this.stack = `${APPLICATION_LOAD_ERROR}: ${explanation}`
  }

  override get name(): string {
    return APPLICATION_LOAD_ERROR
  }
}

/** True for an ApplicationLoadError, also after its way between threads. */
export function isApplicationLoadError(error: { readonly name: string }): boolean {
  return error.name === APPLICATION_LOAD_ERROR
}

/** The explanation that a worker made, somewhere in an error's chain of causes; or null. */
export function findExplanation(error: unknown): string | null {
  let cause = error
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    if (isApplicationLoadError(cause)) return cause.message
    cause = cause.cause
  }
  return null
}

/**
 * Says why an application could not be loaded: what, where in the application's own files, and the
 * lines there. The frames of Node.js and of rr are left out, since nothing is to be mended in them.
 *
 * @param lastUrl the module that was loaded last, for syntax errors that carry no place
 */
export function explainLoadError(error: unknown, lastUrl: string | null): string {
  if (!(error instanceof Error))
    return `the application threw ${shownValue(error)}, which is no Error`
  if (isNotFound(error)) return explainNotFound(error)
  const place = placeInStack(error)
  if (place !== null)
    return atPlace(place, `SyntaxError: ${error.message}${typeHint(error, place)}`)
  if (isWithoutPlace(error) && lastUrl !== null) return explainSyntaxError(error, lastUrl)
  return explainThrown(error)
}

function atPlace(place: SourcePlace, message: string): string {
  const frame = codeFrame(place)
  const where = `${shortPath(place.path)}:${place.line}:${place.column}`
  return frame === '' ? `${message}\n    at ${where}` : `${message}\n    at ${where}\n\n${frame}`
}

// Imports that lead nowhere

interface NotFoundError extends Error {
  readonly code: string
  readonly requireStack?: readonly string[]
}

function isNotFound(error: Error): error is NotFoundError {
  const { code } = error as NodeJS.ErrnoException
  return (
    code === 'ERR_MODULE_NOT_FOUND' ||
    code === 'MODULE_NOT_FOUND' ||
    code === 'ERR_UNSUPPORTED_DIR_IMPORT' ||
    code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
  )
}

function explainNotFound(error: NotFoundError): string {
  const [summary = ''] = error.message.split('\n')
  const importer = / imported from (.+)$/.exec(summary)?.[1] ?? error.requireStack?.[0]
  const target = /^Cannot find (?:module|package) '(.+?)'/.exec(summary)?.[1]
  if (importer === undefined || target === undefined) return summary
  const path = importer.startsWith('file:') ? fileURLToPath(importer) : importer
  const place = findLiteral(path, (text) => meansImport(text, path, target))
  const hint = extensionHint(target)
  const message = `Cannot find ${isAbsolute(target) ? shortPath(target) : `'${target}'`}, imported from ${shortPath(path)}${hint}`
  return place === null ? message : atPlace(place, message)
}

/** True when a string in `importer` is what Node.js resolved to `target`. */
function meansImport(text: string, importer: string, target: string): boolean {
  if (text === target || text.startsWith(`${target}/`)) return true
  return text.startsWith('.') && resolve(dirname(importer), text) === target
}

/** Node.js wants the extension written, which other runtimes guess. */
function extensionHint(target: string): string {
  const candidates = ['.ts', '.js', '.mts', '.mjs', `${sep}index.ts`, `${sep}index.js`].map(
    (ending) => target.replace(/\.[cm]?js$/, '') + ending,
  )
  const found = isAbsolute(target) ? candidates.find((path) => existsSync(path)) : undefined
  if (found === undefined) return ''
  return `; there is ${basename(found)} beside it, and an import names the whole file`
}

// Syntax

/** Stripping leaves imports as they are, so one of a type looks for a value that is not there. */
function typeHint(error: Error, place: SourcePlace): string {
  const name = /does not provide an export named '(.+)'$/.exec(error.message)?.[1]
  if (name === undefined || name === 'default' || !/\.[cm]?ts$/.test(place.path)) return ''
  return `; if it is a type, write 'import { type ${name} }'`
}

/** The place with which Node.js begins the stack of a SyntaxError: `file:line`, source, caret. */
function placeInStack(error: Error): SourcePlace | null {
  return parsePlace(error.stack ?? '')
}

function parsePlace(text: string): SourcePlace | null {
  const match = /^(\S.*):(\d+)\n(?:(.*)\n)?( *\^+)?/.exec(text)
  if (match === null) return null
  const [, file = '', line = '', , caret] = match
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  return { path, line: Number(line), column: (caret?.indexOf('^') ?? 0) + 1 }
}

/** The engine keeps to itself where it found a syntax error in a module; no frame is in a file. */
function isWithoutPlace(error: Error): boolean {
  return error instanceof SyntaxError && applicationFrames(error).length === 0
}

/** Has the module parsed once more by a Node.js that prints the place. Nothing in it is run. */
function explainSyntaxError(error: Error, url: string): string {
  const path = fileURLToPath(url)
  const kind = /\.c[jt]s$/.test(path) ? 'commonjs' : 'module'
  const checked = spawnSync(process.execPath, ['--check', `--input-type=${kind}`, '-'], {
    input: javaScriptOf(path, url),
    encoding: 'utf8',
    env: {},
  })
  const found = parsePlace(checked.stderr ?? '')
  if (found === null) return `SyntaxError: ${error.message}\n    in ${shortPath(path)}`
  return atPlace({ ...found, path }, `SyntaxError: ${error.message}`)
}

function javaScriptOf(path: string, url: string): string {
  const source = readFileSync(path, 'utf8')
  return /\.[cm]?ts$/.test(path) ? toJavaScript(source, url) : source
}

// Errors that the application threw

function explainThrown(error: Error): string {
  const frames = applicationFrames(error)
  const place = frames.map(placeOfFrame).find((found) => found !== null) ?? null
  const frame = place === null ? '' : codeFrame(place)
  const parts = [[headline(error), ...frames].join('\n')]
  if (frame !== '') parts.push(frame)
  addCauses(parts, error, new Set([error]))
  return parts.join('\n\n')
}

/** An error may be its own cause, or that of its cause: each is told once, and no more than so many. */
function addCauses(parts: string[], error: Error, told: Set<unknown>): void {
  const causes: [label: string, cause: unknown][] = []
  if (error instanceof AggregateError && Array.isArray(error.errors)) {
    causes.push(...error.errors.map((one): [string, unknown] => ['one of its errors', one]))
  }
  if (error.cause !== undefined) causes.push(['caused by', error.cause])
  for (const [label, cause] of causes) {
    if (told.has(cause)) continue
    if (told.size > MAX_CAUSES) {
      parts.push('and more errors, which are not shown')
      return
    }
    told.add(cause)
    if (!(cause instanceof Error)) {
      parts.push(`${label}: ${shownValue(cause)}`)
      continue
    }
    parts.push([`${label}: ${headline(cause)}`, ...applicationFrames(cause)].join('\n'))
    addCauses(parts, cause, told)
  }
}

function headline(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  const name = typeof code === 'string' ? `${error.name} [${code}]` : error.name
  return error.message === '' ? name : `${name}: ${error.message}`
}

/** The stack's frames without those of Node.js and of rr. */
function applicationFrames(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^ +at /.test(line) && !/\(?node:/.test(line) && !/<anonymous>\)$/.test(line))
    .filter((line) => !isOwnFrame(placeOfFrame(line)))
}

function placeOfFrame(frame: string): SourcePlace | null {
  const match = /(?:\(|at (?:async )?)((?:file:\/\/)?\/?[^()]+?):(\d+):(\d+)\)?$/.exec(frame)
  if (match === null) return null
  const [, file = '', line, column] = match
  const path = file.startsWith('file:') ? fileURLToPath(file) : file
  return { path, line: Number(line), column: Number(column) }
}

/** Where the code of this package is, source or compiled. */
const OWN_DIRECTORY = dirname(fileURLToPath(import.meta.url)) + sep

function isOwnFrame(place: SourcePlace | null): boolean {
  if (place === null) return true
  if (!isAbsolute(place.path)) return false
  return (
    place.path.startsWith(OWN_DIRECTORY) || packageName(place.path)?.startsWith('@rr/') === true
  )
}

/** The name in the nearest package.json above a file, or null where there is none that has one. */
function packageName(path: string): string | null {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    const manifest = join(directory, 'package.json')
    if (existsSync(manifest)) return readName(manifest)
    if (directory === dirname(directory)) return null
  }
}

/** The manifest is the application's: it may be anything. */
function readName(manifest: string): string | null {
  try {
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }
    return typeof name === 'string' ? name : null
  } catch {
    return null
  }
}

function shortPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') || short === '' ? path : short
}
