import { MethodTable } from './method-table.ts'
import {
  decodeStrict,
  hasDotSegment,
  isDotSegment,
  normalizePath,
  segmentEnd,
} from './path-normal-form.ts'
import type { Pattern } from './pattern.ts'
import { SegmentTable } from './segment-table.ts'

/** What a table is made of: a value for a method (or ANY_METHOD) and a pattern. */
export interface TableEntry<Value> {
  readonly method: string
  readonly pattern: Pattern
  readonly value: Value
}

/** The values of path parameters by name, percent-decoded. */
export type ParamValues = Readonly<Record<string, string>>

/** A value in the table, with what is needed to cut its parameters out of a path. */
export interface Endpoint<Value> {
  readonly value: Value
  /** The parameters' names, in order. */
  readonly names: readonly string[]
  /** The segment that each of them is, counted from 0. */
  readonly positions: readonly number[]
  /** The last of them takes the rest of the path. */
  readonly hasWildcard: boolean
}

/** Why nothing matched: no pattern, no pattern with that method, or a path that names nothing. */
export type Miss = 'not-found' | 'method-not-allowed' | 'bad-path'

interface TreeNode<Value> {
  readonly statics: SegmentTable<TreeNode<Value>> | null
  readonly param: TreeNode<Value> | null
  /** Patterns that go on with a wildcard. */
  readonly wildcard: MethodTable<Endpoint<Value>> | null
  /** Patterns that end here. */
  readonly end: MethodTable<Endpoint<Value>> | null
}

const SLASH = 47

/** No parameters. */
export const NO_PARAMS: ParamValues = Object.freeze(Object.create(null) as Record<string, string>)

/**
 * Makes objects that inherit nothing, so that `params.constructor` is undefined, yet keep V8's fast
 * properties, which an object made by `Object.create(null)` does not have.
 */
const ParamsObject = function ParamsObject() {} as unknown as new () => Record<string, string>
ParamsObject.prototype = Object.freeze(Object.create(null))

/**
 * Matches a method and a path to a value. It knows patterns and methods, and no request.
 *
 * A fully static pattern is one lookup. The rest is a tree with a level for each segment, walked
 * depth first: static child, then parameter, then wildcard. The first end that has the method is the
 * most specific one, whatever the order of entries. Since it is a tree, a walk enters each node at
 * most once, and does there no more than compare one label: so a match costs at most one pass over
 * the path and one over the table, however a path and a table are made to send it back.
 */
export class RouteTable<Value> {
  /**
   * By path. A dictionary object and not a Map: V8 14's Map.get puts a string that it has not seen
   * into its table of internalised strings first, which a request's path always is (measured: 65 ns
   * a lookup, against 35). Its null prototype makes every key safe.
   */
  readonly #statics = Object.create(null) as Record<string, MethodTable<Endpoint<Value>>>
  readonly #root: TreeNode<Value>
  /** The segments of the longest pattern in the tree: more of the path need not be kept. */
  readonly #depth: number

  // The path in hand. Held in the table, and not in an object for each request, because matching
  // calls nothing that could call it again.
  /** Where its segments start; each ends one before the next start. */
  readonly #starts: Int32Array
  #path = ''
  #segments = 0
  #isEncoded = false
  #isPathKnown = false

  constructor(entries: Iterable<TableEntry<Value>>) {
    const statics = new Map<string, TableEntry<Value>[]>()
    const others: TableEntry<Value>[] = []
    let depth = 0
    for (const entry of entries) {
      const { staticPath, segments } = entry.pattern
      if (staticPath !== null) pushTo(statics, staticPath, entry)
      else {
        others.push(entry)
        depth = Math.max(depth, segments.length)
      }
    }
    for (const [path, group] of statics) this.#statics[path] = methodTable(group)
    this.#root = buildNode(others, 0)
    this.#depth = depth
    // Two more than segments: the last one's end, and what is read below the deepest node.
    this.#starts = new Int32Array(depth + 2)
  }

  /** The endpoint for a request path as it was sent, or why there is none. */
  match(method: string, path: string): Endpoint<Value> | Miss {
    // A static path is in normal form and has no dot segment, so a hit needs no further look.
    const table = this.#statics[path]
    if (table !== undefined) {
      const endpoint = method === 'GET' ? table.get : table.pick(method)
      if (endpoint !== undefined) return endpoint
    }
    return this.#matchTree(method, path, table !== undefined)
  }

  /** The parameters of the endpoint that the last `match` returned. */
  readParams(endpoint: Endpoint<Value>): ParamValues {
    const { names, positions } = endpoint
    const last = names.length - 1
    if (last < 0) return NO_PARAMS
    const params = new ParamsObject()
    for (let i = 0; i <= last; i++) {
      params[names[i]!] = this.#paramValue(positions[i]!, i === last && endpoint.hasWildcard)
    }
    return params
  }

  /** Every method table whose pattern matches the path, most specific first. */
  tablesFor(path: string): readonly MethodTable<Endpoint<Value>>[] {
    const tables: MethodTable<Endpoint<Value>>[] = []
    if (!this.#prepare(path)) return tables
    const exact = this.#statics[this.#path]
    if (exact !== undefined) tables.push(exact)
    this.#collect(this.#root, 0, tables)
    return tables
  }

  #matchTree(method: string, path: string, isPathKnown: boolean): Endpoint<Value> | Miss {
    if (!this.#prepare(path)) return 'bad-path'
    this.#isPathKnown = isPathKnown
    if (this.#isEncoded) {
      const table = this.#statics[this.#path]
      if (table !== undefined) {
        const endpoint = table.pick(method)
        if (endpoint !== undefined) return endpoint
        this.#isPathKnown = true
      }
    }
    const endpoint = this.#walk(this.#root, 0, method, this.#path)
    if (endpoint === undefined) return this.#isPathKnown ? 'method-not-allowed' : 'not-found'
    return this.#isEncoded && this.#hidesDotSegment(endpoint) ? 'bad-path' : endpoint
  }

  /** Loops while there is one way to go; calls itself only where there is another to come back to. */
  #walk(
    from: TreeNode<Value>,
    fromDepth: number,
    method: string,
    path: string,
  ): Endpoint<Value> | undefined {
    let node = from
    for (let depth = fromDepth; depth < this.#segments; depth++) {
      const { statics, param, wildcard } = node
      const start = this.#starts[depth]!
      const end = this.#starts[depth + 1]! - 1
      const child = statics === null ? null : statics.find(path, start, end)
      const paramChild = end === start ? null : param
      if (child !== null) {
        if (paramChild === null && wildcard === null) {
          node = child
          continue
        }
        const endpoint = this.#walk(child, depth + 1, method, path)
        if (endpoint !== undefined) return endpoint
      }
      if (paramChild === null) return this.#pick(wildcard, method)
      if (wildcard !== null) {
        return this.#walk(paramChild, depth + 1, method, path) ?? this.#pick(wildcard, method)
      }
      node = paramChild
    }
    return this.#pick(node.end, method)
  }

  #pick(table: MethodTable<Endpoint<Value>> | null, method: string): Endpoint<Value> | undefined {
    if (table === null) return undefined
    this.#isPathKnown = true
    return table.pick(method)
  }

  #collect(node: TreeNode<Value>, depth: number, tables: MethodTable<Endpoint<Value>>[]): void {
    if (depth === this.#segments) {
      if (node.end !== null) tables.push(node.end)
      return
    }
    const start = this.#starts[depth]!
    const end = this.#starts[depth + 1]! - 1
    const child = node.statics?.find(this.#path, start, end) ?? null
    if (child !== null) this.#collect(child, depth + 1, tables)
    if (node.param !== null && end > start) this.#collect(node.param, depth + 1, tables)
    if (node.wildcard !== null) tables.push(node.wildcard)
  }

  /** Takes a path in hand, in normal form and cut into segments; false when it names nothing. */
  #prepare(path: string): boolean {
    if (path.charCodeAt(0) !== SLASH) return false
    this.#isEncoded = path.includes('%')
    const normal = this.#isEncoded ? normalizePath(path) : path
    if (normal === null) return false
    this.#path = normal
    return this.#cut(normal)
  }

  /**
   * Finds the first segments of a path, as many as patterns can have and one more; false when one of
   * the path's segments is a dot segment.
   */
  #cut(path: string): boolean {
    const { length } = path
    let segments = 0
    let start = 1
    this.#starts[0] = 1
    while (segments < this.#depth) {
      const end = segmentEnd(path, start)
      if (isDotSegment(path, start, end)) return false
      segments++
      start = end + 1
      this.#starts[segments] = start
      if (end === length) {
        this.#segments = segments
        return true
      }
    }
    this.#segments = segments + 1
    return !hasDotSegment(path, start)
  }

  #paramValue(position: number, isWildcard: boolean): string {
    const end = isWildcard ? this.#path.length : this.#starts[position + 1]! - 1
    const value = this.#path.slice(this.#starts[position]!, end)
    // The encoding was found sound when the path was brought into normal form.
    return this.#isEncoded ? (decodeStrict(value) ?? value) : value
  }

  /** A wildcard's value is a path: an encoded slash must not bring a dot segment into it. */
  #hidesDotSegment(endpoint: Endpoint<Value>): boolean {
    const position = endpoint.positions.at(-1)
    if (!endpoint.hasWildcard || position === undefined) return false
    return hasDotSegment(this.#paramValue(position, true), 0)
  }
}

function buildNode<Value>(entries: readonly TableEntry<Value>[], depth: number): TreeNode<Value> {
  const statics = new Map<string, TableEntry<Value>[]>()
  const params: TableEntry<Value>[] = []
  const wildcards: TableEntry<Value>[] = []
  const ends: TableEntry<Value>[] = []
  for (const entry of entries) {
    const segment = entry.pattern.segments[depth]
    if (segment === undefined) ends.push(entry)
    else if (segment.kind === 'static') pushTo(statics, segment.text, entry)
    else if (segment.kind === 'param') params.push(entry)
    else wildcards.push(entry)
  }
  const children = new Map<string, TreeNode<Value>>()
  for (const [label, group] of statics) children.set(label, buildNode(group, depth + 1))
  return {
    statics: children.size === 0 ? null : new SegmentTable(children),
    param: params.length === 0 ? null : buildNode(params, depth + 1),
    wildcard: wildcards.length === 0 ? null : methodTable(wildcards),
    end: ends.length === 0 ? null : methodTable(ends),
  }
}

function methodTable<Value>(entries: readonly TableEntry<Value>[]): MethodTable<Endpoint<Value>> {
  return new MethodTable(new Map(entries.map((entry) => [entry.method, endpointOf(entry)])))
}

function endpointOf<Value>({ pattern, value }: TableEntry<Value>): Endpoint<Value> {
  const names: string[] = []
  const positions: number[] = []
  for (const [position, segment] of pattern.segments.entries()) {
    if (segment.kind === 'static') continue
    names.push(segment.name)
    positions.push(position)
  }
  const hasWildcard = pattern.segments.at(-1)?.kind === 'wildcard'
  return { value, names, positions, hasWildcard }
}

function pushTo<Item>(groups: Map<string, Item[]>, key: string, item: Item): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [item])
  else group.push(item)
}
