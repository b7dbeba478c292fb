// Holds the source to the table in layers.mjs and to an import graph without a cycle.
// Usage: node scripts/check-layers.mjs [folder], where the folder has the shape of this repository.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scanImports } from './import-scan.mjs'
import { ioModules, layers, workspacePackages } from './layers.mjs'

/** @typedef {import('./import-scan.mjs').ImportEdge} ImportEdge */

const SOURCE_FILE = /\.(ts|js|mjs)$/

/**
 * @param {string} root
 * @returns {{ problems: string[], fileCount: number }}
 */
export function checkLayers(root) {
  const sources = readSources(root)
  /** @type {string[]} */
  const problems = []
  for (const [file, edges] of sources) {
    for (const edge of edges) {
      const reason = whyForbidden(file, edge, sources)
      if (reason !== undefined) problems.push(`${file}:${edge.line}: ${reason}`)
    }
  }
  for (const cycle of findCycles(sources)) problems.push(`import cycle: ${cycle.join(' -> ')}`)
  return { problems, fileCount: sources.size }
}

/**
 * @param {string} root
 * @returns {Map<string, ImportEdge[]>} by path from the root, with forward slashes
 */
function readSources(root) {
  const sources = new Map()
  for (const folder of ['packages', 'bench']) {
    for (const path of listFiles(join(root, folder))) {
      const file = relative(root, path).split(sep).join('/')
      if (layerOf(file) !== undefined) sources.set(file, scanImports(readFileSync(path, 'utf8')))
    }
  }
  return sources
}

/**
 * @param {string} dir
 * @returns {string[]}
 */
function listFiles(dir) {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist') return []
    const path = join(dir, entry.name)
    if (entry.isDirectory()) return listFiles(path)
    return SOURCE_FILE.test(entry.name) ? [path] : []
  })
}

/** @param {string} file */
const layerOf = (file) => layers.find((layer) => layer.files.test(file))

/**
 * @param {string} file
 * @param {ImportEdge} edge
 * @param {Map<string, ImportEdge[]>} sources
 * @returns {string | undefined}
 */
function whyForbidden(file, edge, sources) {
  const layer = layerOf(file)
  if (layer === undefined) return undefined
  const { specifier } = edge
  if (specifier.startsWith('.')) return whyFileForbidden(layer, file, edge, sources)
  if (specifier.startsWith('node:')) {
    const isIo = layer.sansIo === true && ioModules.includes(specifier.slice('node:'.length))
    const isData = layer.ioExceptions?.includes(`${edge.clause} from '${specifier}'`)
    if (!isIo || isData) return undefined
    return `'${specifier}' is out of reach for ${layer.name}, which does no I/O`
  }
  if (layer.imports.includes(specifier)) return undefined
  if (layer.types?.includes(specifier)) {
    return edge.typeOnly ? undefined : `${layer.name} may use '${specifier}' by 'import type' only`
  }
  const isAllowed = layer.packages.some((allowed) =>
    typeof allowed === 'string' ? allowed === specifier : allowed.test(specifier),
  )
  if (isAllowed && !workspacePackages.includes(specifier)) return undefined
  return `${layer.name} may not import '${specifier}'`
}

/**
 * @param {import('./layers.mjs').Layer} layer
 * @param {string} file
 * @param {ImportEdge} edge
 * @param {Map<string, ImportEdge[]>} sources
 */
function whyFileForbidden(layer, file, edge, sources) {
  const target = posix.join(posix.dirname(file), edge.specifier)
  if (packageOf(target) !== packageOf(file)) {
    return `'${edge.specifier}' leaves the package; import it by its package name`
  }
  const targetLayer = layerOf(target)
  // The command's committed entry file imports compiled output, which is not a source file.
  if (targetLayer === undefined || !sources.has(target)) return undefined
  if (targetLayer === layer || layer.imports.includes(targetLayer.name)) return undefined
  return `${layer.name} may not import ${targetLayer.name} ('${edge.specifier}')`
}

/** @param {string} file */
const packageOf = (file) => file.split('/', file.startsWith('packages/') ? 2 : 1).join('/')

/**
 * Cycles through type imports count: two files that need each other's types are one file, or
 * lack a third one.
 *
 * @param {Map<string, ImportEdge[]>} sources
 * @returns {string[][]}
 */
function findCycles(sources) {
  /** @type {string[][]} */
  const cycles = []
  const done = new Set()
  /** @type {string[]} */
  const path = []

  /** @param {string} file */
  const visit = (file) => {
    const start = path.indexOf(file)
    if (start !== -1) {
      cycles.push([...path.slice(start), file])
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const { specifier } of sources.get(file) ?? []) {
      const target = posix.join(posix.dirname(file), specifier)
      if (specifier.startsWith('.') && sources.has(target)) visit(target)
    }
    path.pop()
    done.add(file)
  }
  for (const file of sources.keys()) visit(file)
  return cycles
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)))
  const { problems, fileCount } = checkLayers(root)
  for (const problem of problems) console.error(problem)
  if (fileCount === 0) console.error(`no source file found under ${root}`)
  console.log(`${fileCount} files, ${problems.length} forbidden imports or cycles`)
  process.exitCode = problems.length === 0 && fileCount > 0 ? 0 : 1
}
