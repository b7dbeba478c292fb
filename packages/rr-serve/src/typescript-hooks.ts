import { readFileSync } from 'node:fs'
import {
  createRequire,
  type LoadHookContext,
  type LoadHookSync,
  registerHooks,
  setSourceMapsSupport,
  stripTypeScriptTypes,
} from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Runs the TypeScript that Node.js by itself does not: enums, parameter properties, namespaces and
 * the rest of what has to become code instead of being blanked out.
 *
 * The hook strips types with Node's own function, once, and hands Node the JavaScript, so a file
 * that needs no more costs what it costs without the hook. Only for a file that cannot be stripped
 * is amaro loaded: the same parser as Node's, with the transformation that Node 26 left out.
 * TypeScript in node_modules is left to Node, which refuses it.
 *
 * @param onLoad called with each file outside of node_modules, right before it is read
 */
export function installTypeScriptHooks(onLoad: (url: string) => void = () => {}): ModuleTracker {
  muteStrippingWarning()
  const tracker = { lastUrl: null as string | null }
  registerHooks({
    load(url, context, nextLoad) {
      if (!isApplicationFile(url)) return nextLoad(url, context)
      tracker.lastUrl = url
      onLoad(url)
      return isTypeScriptFile(url) ? load(url, context, nextLoad) : nextLoad(url, context)
    },
  })
  return tracker
}

/** The module that was loaded last: when the engine rejects a module's syntax, it was this one. */
export interface ModuleTracker {
  readonly lastUrl: string | null
}

/** The JavaScript of a TypeScript source, for what can be stripped and for what must be transformed. */
export function toJavaScript(source: string, url: string): string {
  try {
    return stripTypeScriptTypes(source)
  } catch {
    return transform(source, url)
  }
}

type Loaded = ReturnType<LoadHookSync>

/** For a file that ends as TypeScript does. */
function load(
  url: string,
  context: LoadHookContext,
  nextLoad: Parameters<LoadHookSync>[2],
): Loaded {
  let loaded: Loaded
  try {
    loaded = nextLoad(url, context)
  } catch (error) {
    // In a package without `"type"` Node strips a file already to find out what kind it is.
    if (!isTypeScriptSyntaxError(error)) throw error
    const code = toJavaScript(readFileSync(fileURLToPath(url), 'utf8'), url)
    return {
      format: hasModuleSyntax(code) ? 'module' : 'commonjs',
      source: code,
      shortCircuit: true,
    }
  }
  const { format, source } = loaded
  if (!isTypeScript(format) || source === undefined || source === null) return loaded
  const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString()
  return { ...loaded, format: format.slice(0, -TYPESCRIPT.length), source: toJavaScript(text, url) }
}

const TYPESCRIPT = '-typescript'

function isTypeScript(format: string | null | undefined): format is string {
  return format?.endsWith(TYPESCRIPT) === true
}

/** A file that is not a dependency's. */
export function isApplicationFile(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/')
}

function isTypeScriptFile(url: string): boolean {
  return /\.[cm]?ts(?:[?#]|$)/.test(url)
}

function isTypeScriptSyntaxError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code
  return code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX'
}

/** What amaro throws. The column counts from 0. */
interface ParseError {
  readonly message: string
  readonly startLine: number
  readonly startColumn: number
}

function transform(source: string, url: string): string {
  // Loaded through require because a load hook cannot wait.
  const amaro = createRequire(import.meta.url)('amaro') as typeof import('amaro')
  try {
    const { code, map } = amaro.transformSync(source, {
      mode: 'transform',
      sourceMap: true,
      filename: fileURLToPath(url),
    })
    // Only now, because from here on every stack trace pays for the look-up.
    setSourceMapsSupport(true, { nodeModules: false, generatedCode: false })
    const encoded = Buffer.from(map ?? '').toString('base64')
    return `${code}\n//# sourceMappingURL=data:application/json;base64,${encoded}`
  } catch (error) {
    throw syntaxError(error as ParseError, source, url)
  }
}

/** A SyntaxError whose stack begins as those of Node.js do: place, line, caret. */
function syntaxError(found: ParseError, source: string, url: string): SyntaxError {
  const error = new SyntaxError(found.message)
  if (typeof found.startLine !== 'number') return error
  const line = source.split('\n')[found.startLine - 1] ?? ''
  const caret = `${' '.repeat(found.startColumn)}^`
  error.stack = `${url}:${found.startLine}\n${line}\n${caret}\n\nSyntaxError: ${found.message}`
  return error
}

/**
 * For files of a package without `"type"`, of which Node.js could not tell the kind because it could
 * not strip them. A guess: a line that begins with `import` or `export` makes a module, in a comment
 * or a string, too. Node's own detection parses, and counts a top-level `await` or `import.meta`;
 * a file that has those and neither line is taken for CommonJS, and `"type": "module"` mends it.
 */
function hasModuleSyntax(code: string): boolean {
  return /^\s*(?:import\b(?!\s*\()|export\b)/m.test(code)
}

/**
 * Node.js warns that type stripping, or the function for it, is experimental. Whoever serves a .ts
 * file with rr has not chosen that, so this one warning is dropped; all others pass.
 */
function muteStrippingWarning(): void {
  const emitWarning = process.emitWarning.bind(process) as (...rest: unknown[]) => void
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    const message = typeof warning === 'string' ? warning : warning.message
    if (rest[0] === 'ExperimentalWarning' && /type stripping|stripTypeScriptTypes/i.test(message)) {
      return
    }
    emitWarning(warning, ...rest)
  }
}
