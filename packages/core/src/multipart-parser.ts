import { Dicer } from '@fastify/busboy'
import { RrError } from './errors.ts'
import type { MultipartOptions } from './multipart-options.ts'
import { malformedPart, type PartHead, readPartHead, tooLarge } from './part-head.ts'

/** A part begins, goes on (a chunk) or ends (null). */
export type PartEvent = PartHead | Uint8Array | null

/** What Dicer counts of a header line that is neither name nor value: `: ` and CRLF. */
const LINE_OVERHEAD = 4
/** At most so much of a value that is folded, CRLF and a space at a time, for a byte that is left. */
const FOLD_FACTOR = 3

/**
 * A multipart body, from chunks to events. Dicer, which is the parser of busboy by itself, finds
 * boundaries and header lines; what they mean and how much is too much is decided here.
 *
 * Dicer gives each part as a Readable. Its `push` is replaced, so that a part's data is an event
 * within the call that brought it: nothing is buffered behind our back, the order of events is that
 * of the body, and an error ends the parse where it is.
 */
export class MultipartParser {
  /** What the last `write` came to; whoever reads them takes them out. */
  readonly events: PartEvent[] = []
  readonly #dicer: Dicer
  readonly #limits: MultipartOptions
  #parts = 0
  #files = 0
  /** The final boundary has come. */
  #isFinished = false

  constructor(boundary: string, limits: MultipartOptions) {
    this.#limits = limits
    // One line more than allowed, and room for any block that is within the limits: what Dicer cuts
    // off is over one of them.
    const maxHeaderPairs = limits.maxHeaders + 1
    const maxHeaderSize = FOLD_FACTOR * limits.maxHeaderBytes + LINE_OVERHEAD * maxHeaderPairs + 1
    const config = { boundary, maxHeaderPairs, maxHeaderSize }
    this.#dicer = new Dicer(config)
    this.#dicer.on('part', (part) => this.#beginPart(part))
    this.#dicer.on('finish', () => {
      this.#isFinished = true
    })
    // Only `end` makes it fail later, and it is not called.
    this.#dicer.on('error', ignore)
  }

  /** @throws RrError RR_BODY_MALFORMED (400), RR_BODY_TOO_LARGE (413); nothing can be written after it */
  write(chunk: Uint8Array): void {
    // What follows the final boundary means nothing (RFC 2046 §5.1.1, epilogue).
    if (this.#isFinished) return
    this.#dicer.write(chunk)
  }

  /** The body has ended. @throws RrError RR_BODY_MALFORMED without its final boundary */
  end(): void {
    if (!this.#isFinished) {
      throw new RrError('RR_BODY_MALFORMED', 'the multipart body ends before its final boundary')
    }
  }

  #beginPart(part: Dicer.PartStream): void {
    this.#parts++
    if (this.#parts > this.#limits.maxParts)
      throw tooLarge(`more than ${this.#limits.maxParts} parts`)
    let room = -1
    part.on('header', (raw) => {
      const head = readPartHead(raw as Record<string, string[]>, this.#limits)
      room = this.#roomFor(head)
      this.events.push(head)
    })
    part.push = (chunk: Uint8Array | null): boolean => {
      if (room < 0) throw malformedPart('ends within its header lines')
      if (chunk === null) {
        this.events.push(null)
        part.emit('end')
      } else if (chunk.length > 0) {
        room -= chunk.length
        if (room < 0) throw tooLarge('a part that is too long')
        this.events.push(chunk)
      }
      return true
    }
  }

  /** @returns the most bytes that the part may have */
  #roomFor(head: PartHead): number {
    const { maxFiles, maxFileBytes, maxFieldBytes } = this.#limits
    if (head.filename === null) return maxFieldBytes
    this.#files++
    if (this.#files > maxFiles) throw tooLarge(`more than ${maxFiles} files`)
    return maxFileBytes
  }
}

function ignore(): void {}
