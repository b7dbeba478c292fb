import { hash } from 'node:crypto'
import { HeaderBlock } from '@rr/core'
import type { Validators } from './conditional.ts'
import { formatHttpDate } from './http-date.ts'
import type { FileFacts } from './opened-file.ts'

type Field = readonly [string, string]

/** A state of a file as it is sent: what all answers about it are made from. */
export interface Representation {
  readonly facts: FileFacts
  readonly validators: Validators
  /** The headers of the answer with the whole file, its length among them. */
  readonly headers: HeaderBlock
}

/**
 * What was written less than this ago may be written again within the same tick of the clock that
 * stamps it. 2 s is the coarsest tick of a file system in use (FAT).
 */
const SETTLED_AFTER_MS = 2000

/**
 * Describes a file. The tag is strong, since If-Range takes no other and a download could not be
 * resumed, but weak for as long as the file's time could stay the same over another write. Time of
 * change of the inode and its number are in it: copies that keep the time of writing, or set it to a
 * constant, as reproducible builds do, would else have one tag for different bytes. They are hashed
 * as an inode's number is nobody's business (CVE-2003-1418).
 *
 * @param fields content-type, and whatever else goes with the whole file
 */
export function describeFile(
  facts: FileFacts,
  fields: readonly Field[],
  nowMs: number = Date.now(),
): Representation {
  const isSettled = facts.mtimeMs + SETTLED_AFTER_MS <= nowMs
  const opaque = `"${hash('sha256', facts.identity, 'base64url').slice(0, 22)}"`
  const etag = isSettled ? opaque : `W/${opaque}`
  // Never later than the answer itself (RFC 9110 §8.8.2.1).
  const lastModifiedMs = Math.min(facts.mtimeMs, nowMs)
  const lastModified = formatHttpDate(lastModifiedMs)
  const headers: Field[] = [...fields, ['etag', etag], ['accept-ranges', 'bytes']]
  if (lastModified !== null) headers.push(['last-modified', lastModified])
  headers.push(['content-length', String(facts.sizeBytes)])
  return {
    facts,
    validators: {
      etag,
      lastModifiedMs: lastModified === null ? null : lastModifiedMs,
      isLastModifiedStrong: isSettled,
    },
    headers: new HeaderBlock(headers),
  }
}

/** True while a later look at the same file may give it a strong tag. */
export function isUnsettled({ validators }: Representation): boolean {
  return validators.isLastModifiedStrong !== true
}
