import { type BodySource, collectBytes, quiet, sourceStream } from './body-source.ts'
import { RrError } from './errors.ts'
import { mainValue, parseParameters, unsupportedType } from './media-type.ts'
import type { MultipartOptions } from './multipart-options.ts'
import type { MultipartParser, PartEvent } from './multipart-parser.ts'
import type { PartHead } from './part-head.ts'

/** RFC 2046 §5.1.1: up to 70 of these characters, of which the last is no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/

/**
 * The boundary of a multipart/form-data body.
 *
 * @throws RrError RR_MEDIA_TYPE_UNSUPPORTED (415) for another type; RR_BODY_MALFORMED (400) without
 *   a valid boundary
 */
export function readBoundary(contentType: string | null): string {
  if (contentType === null || mainValue(contentType) !== 'multipart/form-data') {
    throw unsupportedType('multipart/form-data')
  }
  const boundary = parseParameters(contentType)?.get('boundary')
  if (boundary !== undefined && BOUNDARY.test(boundary)) return boundary
  throw new RrError('RR_BODY_MALFORMED', 'the multipart body has no valid boundary')
}

/**
 * One part of a multipart/form-data body (RFC 7578). It is read while it arrives: before the next
 * part is asked for, or not at all.
 */
export class MultipartPart implements AsyncIterable<Uint8Array> {
  /** The field's name. */
  readonly name: string
  /**
   * What the client calls the file, without folders, dot segments and controls; '' when it gives no
   * name, null when the part is a field. The client's word: never a path to write to.
   */
  readonly filename: string | null
  /** As the client says; `text/plain` or, for a file, `application/octet-stream` when it does not. */
  readonly contentType: string
  /** The part's header lines; names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly #source: BodySource
  #used = false

  /** Made by rr, not by applications. */
  constructor(head: PartHead, source: BodySource) {
    this.name = head.name
    this.filename = head.filename
    this.contentType = head.contentType
    this.headers = head.headers
    this.#source = source
  }

  /**
   * The part as it arrives. A consumer that waits makes the client wait.
   *
   * @throws RrError RR_BODY_USED when the part was read or left behind; RR_BODY_TOO_LARGE (413)
   *   over a limit of the call; RR_BODY_MALFORMED (400); otherwise as `request.bytes`
   */
  get stream(): ReadableStream<Uint8Array> {
    this.#use()
    return sourceStream(this.#source)
  }

  /** The whole part; throws as `stream`. */
  bytes(): Promise<Uint8Array> {
    return quiet(this.#bytes())
  }

  /** The whole part as UTF-8, invalid sequences replaced; throws as `stream`. */
  text(): Promise<string> {
    return quiet(this.#text())
  }

  /** The chunks of the part; throws as `stream`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#use()
    for (;;) {
      const chunk = await this.#source.read()
      if (chunk === null) return
      yield chunk
    }
  }

  async #bytes(): Promise<Uint8Array> {
    this.#use()
    return collectBytes(this.#source)
  }

  async #text(): Promise<string> {
    return new TextDecoder().decode(await this.#bytes())
  }

  #use(): void {
    if (this.#used) throw new RrError('RR_BODY_USED', 'the part has been read already')
    this.#used = true
  }
}

/** The parts of a body, one after the other; what is left of one when the next is asked for is skipped. */
export async function* readParts(
  source: BodySource,
  boundary: string,
  limits: MultipartOptions,
): AsyncGenerator<MultipartPart, void, void> {
  try {
    const { MultipartParser: Parser } = await import('./multipart-parser.ts')
    const reader = new PartReader(source, new Parser(boundary, limits))
    for (;;) {
      const part = await reader.nextPart()
      if (part === null) return
      yield part
    }
  } finally {
    source.cancel()
  }
}

/** Feeds a parser, a chunk of the body at a time and only when an event is wanted. */
class PartReader {
  readonly #source: BodySource
  readonly #parser: MultipartParser
  /** The events of one chunk, and how many have been taken. */
  #taken = 0
  /** The part that is being read. */
  #part = 0
  #isWithin = false
  #turn: Promise<unknown> = Promise.resolve()
  #error: unknown = null

  constructor(source: BodySource, parser: MultipartParser) {
    this.#source = source
    this.#parser = parser
  }

  nextPart(): Promise<MultipartPart | null> {
    return this.#inTurn(async () => {
      this.#part++
      while (this.#isWithin) await this.#nextEvent()
      const head = await this.#nextEvent()
      if (head === undefined) return null
      const part = this.#part
      return new MultipartPart(head as PartHead, {
        read: () => this.#inTurn(() => this.#readPart(part)),
        cancel: () => {},
      })
    })
  }

  async #readPart(part: number): Promise<Uint8Array | null> {
    if (part !== this.#part) throw new RrError('RR_BODY_USED', 'the part was left behind')
    return this.#isWithin ? ((await this.#nextEvent()) as Uint8Array | null) : null
  }

  /** The next event; undefined at the end of the body. */
  async #nextEvent(): Promise<PartEvent | undefined> {
    const { events } = this.#parser
    while (this.#taken === events.length) {
      events.length = 0
      this.#taken = 0
      const chunk = await this.#source.read()
      if (chunk === null) {
        this.#parser.end()
        return undefined
      }
      this.#parser.write(chunk)
    }
    const event = events[this.#taken++] as PartEvent
    if (event === null) this.#isWithin = false
    else if (!(event instanceof Uint8Array)) this.#isWithin = true
    return event
  }

  /**
   * One call after the other: a handler may ask for the next part while it still waits for a chunk
   * of the one before, whose reader is then told that it was left behind. After an error of the body
   * all end in it.
   */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#turn.then(async () => {
      if (this.#error !== null) throw this.#error
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof RrError && error.code === 'RR_BODY_USED')) this.#error = error
        throw error
      }
    })
    this.#turn = turn.catch(() => {})
    return turn
  }
}
