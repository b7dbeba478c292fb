import { HeaderBlock, type HttpRequest, HttpResponse, type Next, text } from '@rr/core'
import { normalizePath } from '@rr/router'
import { acceptedCodings } from './accept-encoding.ts'
import { answerFromFile, answerFromMemory, SMALL_FILE_BYTES } from './file-answer.ts'
import { readWhole } from './file-body.ts'
import { type CachedFile, FileCache } from './file-cache.ts'
import { FileRoot } from './file-root.ts'
import { mediaTypeOf } from './media-type.ts'
import type { OpenedFile } from './opened-file.ts'
import { COPY_EXTENSIONS, type Precompressed } from './precompressed.ts'
import { describeFile, isUnsettled } from './representation.ts'
import {
  type ResolvedStaticOptions,
  resolveRoot,
  resolveStaticOptions,
  type StaticOptions,
} from './static-options.ts'
import { parseStaticPath } from './static-path.ts'

type AnyRequest = HttpRequest<unknown, unknown>
type Field = readonly [string, string]

/** A file that may be sent, in memory or open, with what its answer says beside the tag. */
interface Found {
  readonly file: CachedFile | OpenedFile
  readonly fields: readonly Field[]
}

/** Serves a folder: as the handler of a wildcard route, or as middleware. */
export type StaticHandler = (request: AnyRequest, next?: Next) => Promise<HttpResponse>

/**
 * Serves the files of a folder, with all that `file` does, index files, and copies compressed
 * beforehand. Never lists a folder.
 *
 * As the handler of a route that ends in a wildcard it answers for what the wildcard takes: 404 for
 * what is not there, 405 for other methods than GET and HEAD. As middleware it answers for paths
 * below `prefix`, and calls `next` for all else.
 *
 * Not there is also what names a file in a doubtful way: encoded slashes, backslashes, NUL and other
 * controls, colons, dot segments, dots and spaces at a name's end, names of Windows devices, empty
 * segments; dotfiles and links that lead out of the folder unless options allow them; and what may
 * not be read.
 *
 * @param root the folder; a link to it is followed once, now
 * @throws RrError RR_OPTION_INVALID, RR_OPTION_UNKNOWN, RR_HEADER_INVALID; the handler throws what
 *   the system says when a file cannot be opened for other reasons, such as too many open files
 * @example
 * app.get('/assets/*path', staticFiles(new URL('./public', import.meta.url)))
 */
export function staticFiles(root: string | URL, options: StaticOptions = {}): StaticHandler {
  const folder = new StaticFolder(resolveRoot(root), resolveStaticOptions(options))
  return (request, next) => folder.serve(request, next)
}

class StaticFolder {
  readonly #root: FileRoot
  readonly #options: ResolvedStaticOptions
  readonly #cache: FileCache

  constructor(root: string, options: ResolvedStaticOptions) {
    this.#root = new FileRoot(root, options.symlinks)
    this.#options = options
    this.#cache = new FileCache(options.maxCacheBytes, options.revalidateMs)
  }

  async serve(request: AnyRequest, next: Next | undefined): Promise<HttpResponse> {
    const { method } = request
    if (method === 'GET' || method === 'HEAD') {
      const rest = next === undefined ? this.#ofRoute(request) : this.#belowPrefix(request.path)
      const response = rest === null ? null : await this.#answer(request, rest)
      if (response !== null) return response
    } else if (next === undefined) {
      return text('Method Not Allowed', { status: 405, headers: { allow: 'GET, HEAD' } })
    }
    return next === undefined ? text('Not Found', { status: 404 }) : next()
  }

  /**
   * What the route's wildcard takes, still encoded: its decoded value no longer tells `a%2Fb` from
   * `a/b`, which are two paths for the router.
   */
  #ofRoute({ route, path }: AnyRequest): string | null {
    const wildcard = route?.lastIndexOf('/*') ?? -1
    if (route === null || wildcard < 0) return this.#belowPrefix(path)
    const normal = normalizePath(path)
    if (normal === null) return null
    let start = 0
    for (let i = 0; i <= wildcard; i++) {
      if (route[i] === '/') start = normal.indexOf('/', start) + 1
    }
    return normal.slice(start)
  }

  #belowPrefix(path: string): string | null {
    const { prefix } = this.#options
    const normal = normalizePath(path)
    return normal?.startsWith(prefix) ? normal.slice(prefix.length) : null
  }

  async #answer(request: AnyRequest, rest: string): Promise<HttpResponse | null> {
    const { dotfiles, index } = this.#options
    const path = parseStaticPath(rest, dotfiles)
    if (path === null || (path.isFolder && index === null)) return null
    const segments = path.isFolder && index !== null ? [...path.segments, index] : path.segments
    const found = await this.#findBest(segments, request)
    if (found === 'directory') return path.isFolder ? null : this.#toFolder(request, segments)
    if (found === null) return null
    const { file, fields } = found
    return 'content' in file
      ? answerFromMemory(request, file.representation, file.content)
      : answerFromFile(request, file, fields)
  }

  /**
   * From a folder's name to the same with a slash, if there is an index to see. The reference is
   * relative, one segment and no more, so that no path, `//host` and `/\host` among them, makes it
   * lead to another site.
   */
  async #toFolder(
    { queryString }: AnyRequest,
    segments: readonly string[],
  ): Promise<HttpResponse | null> {
    const { index } = this.#options
    const name = segments.at(-1)
    if (index === null || name === undefined) return null
    const found = await this.#find([...segments, index], null)
    if (found === null || found === 'directory') return null
    await release(found)
    const query = queryString === '' ? '' : `?${queryString}`
    const location = `./${encodeURIComponent(name)}/${query}`
    return new HttpResponse(308, new HeaderBlock([['location', location]]), '')
  }

  /** The file, or the copy of it that the client likes best. */
  async #findBest(
    segments: readonly string[],
    request: AnyRequest,
  ): Promise<Found | 'directory' | null> {
    const { precompressed } = this.#options
    const original = await this.#find(segments, null)
    if (original === null || original === 'directory' || precompressed.length === 0) return original
    try {
      for (const coding of acceptedCodings(request, precompressed).codings) {
        const copy = await this.#find(segments, coding)
        if (copy === null || copy === 'directory') continue
        // A copy from before the last change of the file would bring back what was replaced. By
        // the second: tools that keep the time of the original cut it there.
        if (seconds(copy) >= seconds(original)) {
          await release(original)
          return copy
        }
        await release(copy)
      }
    } catch (error) {
      await release(original)
      throw error
    }
    return original
  }

  /** @param coding of the copy to look for; null for the file itself */
  async #find(
    segments: readonly string[],
    coding: Precompressed | null,
  ): Promise<Found | 'directory' | null> {
    const name = segments.join('/')
    const key = coding === null ? name : `${name}\0${coding}`
    const nowMs = performance.now()
    const known = this.#cache.fresh(key, nowMs)
    if (known === null) return null
    if (known !== undefined) return { file: known, fields: [] }
    const extension = coding === null ? '' : COPY_EXTENSIONS[coding]
    const opened = await this.#root.open(
      segments.map((segment, i) => (i === segments.length - 1 ? segment + extension : segment)),
    )
    if (opened === null || opened === 'directory') {
      // That a file has no copy is worth to know. Other absent names are endless, and the client's.
      if (coding === null) this.#cache.drop(key)
      else this.#cache.keep(key, null, nowMs)
      return opened
    }
    const fields = this.#fields(name, coding)
    if (opened.facts.sizeBytes > SMALL_FILE_BYTES || this.#options.maxCacheBytes === 0) {
      this.#cache.drop(key)
      return { file: opened, fields }
    }
    return { file: await this.#load(key, opened, fields, nowMs), fields }
  }

  /** Takes a small file into memory, or finds that it is there already; closes it. */
  async #load(
    key: string,
    { handle, facts }: OpenedFile,
    fields: readonly Field[],
    nowMs: number,
  ): Promise<CachedFile> {
    try {
      let file = this.#cache.last(key)
      const isSame = file?.representation.facts.identity === facts.identity
      if (file === null || !isSame || isUnsettled(file.representation)) {
        const content = await readWhole(handle, facts.sizeBytes)
        file = { representation: describeFile(facts, fields), content }
      }
      this.#cache.keep(key, file, nowMs)
      return file
    } finally {
      await handle.close()
    }
  }

  #fields(name: string, coding: Precompressed | null): Field[] {
    const fields: Field[] = [['content-type', mediaTypeOf(name)]]
    const cacheControl = this.#options.cacheControlFor(name)
    if (cacheControl !== null) fields.push(['cache-control', cacheControl])
    if (coding !== null) fields.push(['content-encoding', coding])
    if (this.#options.precompressed.length > 0) fields.push(['vary', 'Accept-Encoding'])
    return fields
  }
}

async function release({ file }: Found): Promise<void> {
  if ('handle' in file) await file.handle.close()
}

function seconds({ file }: Found): number {
  const facts = 'facts' in file ? file.facts : file.representation.facts
  return Math.floor(facts.mtimeMs / 1000)
}
