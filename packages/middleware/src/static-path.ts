/**
 * What a request path may name in a folder. The same on every platform: a tree that is safe to
 * serve on Linux is not to open up on Windows. Refused is a null, which is answered as absent.
 */

/** A path below a root: decoded names, none of which is empty or leads elsewhere. */
export interface StaticPath {
  readonly segments: readonly string[]
  /** True for the root itself and for what ends with a slash. */
  readonly isFolder: boolean
}

/** `deny`: none. `allow`: all. A list: these, such as `['.well-known']`. */
export type DotfilePolicy = 'deny' | 'allow' | readonly string[]

/**
 * Separators once decoded, of either platform; controls, NUL above all; the colon of drive letters
 * and of NTFS streams (`page.html::$DATA`).
 */
const FORBIDDEN = /[/\\:\u0000-\u001f\u007f]/

/** Windows drops these from the end of a name, which gives one file several names. */
const TRAILING = /[. ]$/

/** Names that Windows gives to devices in every folder, with any extension (CVE-2025-27210). */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i

/** `GIT~1` is `.git` to Windows (CVE-2014-9390); elsewhere it is a name like others. */
const SHORT_NAME = /^[^.]{1,6}~\d+(?:\.[^.]{0,3})?$/

/**
 * Reads the part of a request path that a folder answers for. Each segment is decoded once, so that
 * an encoded slash stays within its segment, where no file name can hold it.
 *
 * @param rest percent-encoded, without the slash that follows the prefix; empty for the root
 */
export function parseStaticPath(
  rest: string,
  dotfiles: DotfilePolicy,
  platform: string = process.platform,
): StaticPath | null {
  if (rest === '') return { segments: [], isFolder: true }
  const isFolder = rest.endsWith('/')
  const encoded = (isFolder ? rest.slice(0, -1) : rest).split('/')
  const segments: string[] = []
  for (const text of encoded) {
    const segment = decode(text)
    if (segment === null || !isServable(segment, dotfiles, platform)) return null
    segments.push(segment)
  }
  return { segments, isFolder }
}

function isServable(segment: string, dotfiles: DotfilePolicy, platform: string): boolean {
  if (segment === '' || FORBIDDEN.test(segment)) return false
  // Dot segments end with a dot.
  if (TRAILING.test(segment) || DEVICE.test(segment)) return false
  if (platform === 'win32' && SHORT_NAME.test(segment)) return false
  if (!segment.startsWith('.') || dotfiles === 'allow') return true
  return dotfiles !== 'deny' && dotfiles.includes(segment)
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    // Broken, or not UTF-8: overlong forms of `.` and `/` among them.
    return null
  }
}
