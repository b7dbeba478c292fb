import { realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { headerBlock, type OptionTable, RrError, resolveOptions } from '@rr/core'
import { normalizePath } from '@rr/router'
import type { SymlinkPolicy } from './file-root.ts'
import { checkKeys, invalidOption } from './option-checks.ts'
import { COPY_EXTENSIONS, type Precompressed } from './precompressed.ts'
import type { DotfilePolicy } from './static-path.ts'

const WHERE = 'staticFiles()'

/** How `staticFiles` serves a folder. */
export interface StaticOptions {
  /**
   * As middleware: the path below which it looks, such as `/assets`; default `/`. As the handler of
   * a wildcard route it serves what the wildcard takes, and this says nothing.
   */
  readonly prefix?: string | undefined
  /** The file that stands for a folder; false for none. Default `index.html`. */
  readonly index?: string | false | undefined
  /** Names that begin with a dot. Default `deny`; a list names those to serve. */
  readonly dotfiles?: DotfilePolicy | undefined
  /** Symbolic links. Default `inside`: followed within the root only. */
  readonly symlinks?: SymlinkPolicy | undefined
  /** Copies (`.br`, `.zst`, `.gz`) to look for beside each file, best first. Default none. */
  readonly precompressed?: readonly Precompressed[] | undefined
  /**
   * The value of Cache-Control; null sends none. Default `no-cache`: kept, but asked for anew each
   * time, which a 304 answers.
   */
  readonly cacheControl?: string | null | undefined
  /**
   * Files whose path below the root matches never change under their name, such as
   * `/-[0-9a-f]{8}\.\w+$/`: they are sent with `public, max-age=31536000, immutable`.
   */
  readonly immutable?: RegExp | null | undefined
  /** Memory for files up to 64 KiB, in each worker. 0 keeps none. Default 16 MiB. */
  readonly maxCacheBytes?: number | undefined
  /** For how long a file in memory is sent without a look at the disk. Default 1000. */
  readonly revalidateMs?: number | undefined
}

/** Options of a single value; the others are checked below. */
const STATIC_OPTIONS = {
  symlinks: {
    type: 'enum',
    default: 'inside',
    values: ['inside', 'deny', 'follow'],
    doc: 'Symbolic links: followed within the root, not at all, or wherever they lead.',
  },
  maxCacheBytes: {
    type: 'integer',
    // 256 files of the largest size that is kept.
    default: 16_777_216,
    minimum: 0,
    maximum: 1_073_741_824,
    doc: 'Memory for small files in each worker; at the bound the least recently used is let go.',
  },
  revalidateMs: {
    type: 'integer',
    default: 1000,
    minimum: 0,
    maximum: 86_400_000,
    doc: 'For how long a file in memory is sent without a look at the disk.',
  },
} as const satisfies OptionTable

const OTHER_OPTIONS = [
  'prefix',
  'index',
  'dotfiles',
  'precompressed',
  'cacheControl',
  'immutable',
] as const

const IMMUTABLE = 'public, max-age=31536000, immutable'

/** The options of one folder, checked. */
export interface ResolvedStaticOptions {
  readonly symlinks: SymlinkPolicy
  readonly maxCacheBytes: number
  readonly revalidateMs: number
  /** In normal form, with a slash at its end. */
  readonly prefix: string
  readonly index: string | null
  readonly dotfiles: DotfilePolicy
  readonly precompressed: readonly Precompressed[]
  /** The value of Cache-Control for a path below the root, or null. */
  readonly cacheControlFor: (name: string) => string | null
}

/** @throws RrError RR_OPTION_UNKNOWN, RR_OPTION_INVALID, RR_HEADER_INVALID */
export function resolveStaticOptions(input: StaticOptions): ResolvedStaticOptions {
  checkKeys(input, [...Object.keys(STATIC_OPTIONS), ...OTHER_OPTIONS], WHERE)
  const { symlinks, maxCacheBytes, revalidateMs } = input
  return {
    ...resolveOptions(STATIC_OPTIONS, { symlinks, maxCacheBytes, revalidateMs }, WHERE),
    prefix: checkPrefix(input.prefix ?? '/'),
    index: checkIndex(input.index ?? 'index.html'),
    dotfiles: checkDotfiles(input.dotfiles ?? 'deny'),
    precompressed: checkPrecompressed(input.precompressed ?? []),
    cacheControlFor: cacheControlRule(input.cacheControl, input.immutable ?? null),
  }
}

/**
 * The real path of the folder to serve, looked up once.
 *
 * @throws RrError RR_OPTION_INVALID when it does not exist
 */
export function resolveRoot(root: string | URL): string {
  try {
    return realpathSync(root instanceof URL ? fileURLToPath(root) : root)
  } catch (cause) {
    throw new RrError('RR_OPTION_INVALID', `${WHERE}: no folder at '${root}'`, { cause })
  }
}

function checkPrefix(prefix: string): string {
  const normal = typeof prefix === 'string' ? normalizePath(prefix) : null
  if (normal === null || !normal.startsWith('/')) {
    throw invalidOption(WHERE, 'prefix', 'a path that begins with a slash', prefix)
  }
  return normal.endsWith('/') ? normal : `${normal}/`
}

function checkIndex(index: string | false): string | null {
  if (index === false) return null
  if (typeof index !== 'string' || !/^[^/\\\0]+$/.test(index) || /^\.\.?$/.test(index)) {
    throw invalidOption(WHERE, 'index', 'the name of a file, or false', index)
  }
  return index
}

function checkDotfiles(dotfiles: DotfilePolicy): DotfilePolicy {
  if (dotfiles === 'deny' || dotfiles === 'allow') return dotfiles
  const isList = Array.isArray(dotfiles)
  if (!isList || !dotfiles.every((name) => typeof name === 'string' && name.startsWith('.'))) {
    throw invalidOption(
      WHERE,
      'dotfiles',
      "'deny', 'allow', or a list of names that begin with a dot",
      dotfiles,
    )
  }
  return [...dotfiles]
}

function checkPrecompressed(codings: readonly Precompressed[]): readonly Precompressed[] {
  if (
    !Array.isArray(codings) ||
    !codings.every((coding) => Object.hasOwn(COPY_EXTENSIONS, coding))
  ) {
    throw invalidOption(WHERE, 'precompressed', "a list of 'br', 'zstd', 'gzip'", codings)
  }
  return [...codings]
}

function cacheControlRule(
  value: string | null = 'no-cache',
  immutable: RegExp | null,
): ResolvedStaticOptions['cacheControlFor'] {
  if (value !== null) headerBlock({ 'cache-control': value })
  if (immutable === null) return () => value
  if (!(immutable instanceof RegExp))
    throw invalidOption(WHERE, 'immutable', 'a regular expression', immutable)
  // `g` and `y` keep a position between calls, and would match every other time.
  const pattern = new RegExp(immutable.source, immutable.flags.replace(/[gy]/g, ''))
  return (name) => (pattern.test(name) ? IMMUTABLE : value)
}
