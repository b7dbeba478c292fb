import { createRequire } from 'node:module'
import { copyBytes, latin1Slice } from './buffer-methods.ts'
import type { ChunkedBody } from './chunked-body.ts'

/**
 * The binding to llhttp 9, compiled to WebAssembly by the undici project. One instance serves a
 * whole thread. README.md in this folder says how to update it.
 *
 * Callbacks only store offsets; no application code ever runs inside one. A parse ends at the end
 * of its input, at the end of a head with a transfer coding, at the end of a message, or at an
 * error. Fixed-length bodies never pass through the parser: it is told to skip them, and the
 * connection counts them off by itself, without a copy through the WebAssembly memory.
 */

/** llhttp's error numbers that rr tells apart. */
export const LLHTTP_OK = 0
export const LLHTTP_INVALID_METHOD = 6
export const LLHTTP_INVALID_CONSTANT = 8
export const LLHTTP_INVALID_VERSION = 9
const LLHTTP_INVALID_HEADER_TOKEN = 10
export const LLHTTP_PAUSED = 21
export const LLHTTP_PAUSED_H2_UPGRADE = 23

/** llhttp's flags that rr reads. */
export const FLAG_KEEP_ALIVE = 0x1
export const FLAG_CLOSE = 0x2
export const FLAG_CONTENT_LENGTH = 0x20
export const FLAG_TRANSFER_ENCODING = 0x200

/** The input window: node:net reads at most 64 KiB at a time. */
export const WINDOW_BYTES = 65_536
/** Spans kept for a head: more field lines than the largest `maxHeaders`, one over so that it shows. */
const MAX_FIELDS = 2001
/** Offsets into llhttp_t on a 32-bit target, checked against llhttp's own getters at load. */
const OFFSET_ERROR_POSITION = 20
const OFFSET_METHOD = 41
const OFFSET_MAJOR = 42
const OFFSET_MINOR = 43
const OFFSET_FLAGS = 50
const TYPE_REQUEST = 1

interface LlhttpExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  _initialize(): void
  llhttp_alloc(type: number): number
  llhttp_reset(parser: number): void
  llhttp_resume(parser: number): void
  llhttp_execute(parser: number, at: number, length: number): number
  llhttp_get_error_pos(parser: number): number
  llhttp_get_error_reason(parser: number): number
  llhttp_get_method(parser: number): number
  llhttp_get_http_major(parser: number): number
  llhttp_get_http_minor(parser: number): number
  malloc(length: number): number
}

/** The part of the WebAssembly namespace used here; its types come with the DOM's, which Node has not. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { readonly exports: object }
}

const require = createRequire(import.meta.url)

/** llhttp's method names by number. */
const METHODS: readonly string[] = (() => {
  const { METHODS: numbers } = require('undici/lib/llhttp/constants.js') as {
    METHODS: Record<string, number>
  }
  const names: string[] = []
  for (const [name, number] of Object.entries(numbers)) names[number] = name
  return names
})()

const METHOD_HEAD = METHODS.indexOf('HEAD')

class Llhttp {
  /** Four offsets a field line (name start, name end, value start, value end) from the head's first byte. */
  readonly spans: Int32Array = new Int32Array(MAX_FIELDS * 4)
  fieldCount = 0
  urlStart = -1
  urlEnd = -1
  /** What the last `execute` returned, and how far into the source it came. */
  code: number = LLHTTP_OK
  consumed = 0
  /** True when the last `execute` ended with a message, false when with a head. */
  messageComplete = false

  readonly #exports: LlhttpExports
  readonly #window: number
  readonly #idle: number[] = []
  #memory: Buffer
  #words: Int32Array
  /** Offset in the message of window byte 0; added to window offsets by the callbacks. */
  #delta = 0
  #body: ChunkedBody | null = null
  /** Body bytes decoded by this call, at the start of the window. */
  #decoded = 0
  #executing = false
  #source: Uint8Array | null = null
  #sourceFrom = 0
  #sourceTo = 0

  constructor() {
    this.#exports = instantiate(this)
    this.#exports._initialize()
    this.#window = this.#exports.malloc(WINDOW_BYTES)
    this.#memory = Buffer.from(this.#exports.memory.buffer)
    this.#words = new Int32Array(this.#exports.memory.buffer)
    this.#check()
  }

  /** A parser at the start of a message. */
  acquire(): number {
    const parser = this.#idle.pop() ?? this.#exports.llhttp_alloc(TYPE_REQUEST)
    // Allocation may have grown the memory, which detaches the old view.
    if (this.#memory.buffer !== this.#exports.memory.buffer) {
      this.#memory = Buffer.from(this.#exports.memory.buffer)
      this.#words = new Int32Array(this.#exports.memory.buffer)
      this.#source = null
    }
    return parser
  }

  release(parser: number): void {
    this.#exports.llhttp_reset(parser)
    this.#idle.push(parser)
  }

  /** Back to the start of a message. */
  reset(parser: number): void {
    this.#exports.llhttp_reset(parser)
  }

  /** Forgets the input: its owner is about to reuse it. */
  unload(): void {
    this.#source = null
  }

  /**
   * Makes `bytes` from `from` on available to `execute`.
   *
   * @param most how much to make available at most, up to 64 KiB
   * @returns how far it is available, at most `to`
   */
  load(bytes: Uint8Array, from: number, to: number, most: number): number {
    if (this.#source === bytes && from >= this.#sourceFrom && from < this.#sourceTo) {
      return this.#sourceTo < to ? this.#sourceTo : to
    }
    const end = to - from > most ? from + most : to
    // Not `set` with a subarray: a view for each read costs more than the copy.
    copyBytes.call(bytes, this.#memory, this.#window, from, end)
    this.#source = bytes
    this.#sourceFrom = from
    this.#sourceTo = end
    return end
  }

  /** Bytes of the loaded source as a string, a character a byte. */
  text(from: number, to: number): string {
    const base = this.#window - this.#sourceFrom
    return latin1Slice.call(this.#memory, base + from, base + to)
  }

  /** Starts a head. */
  beginHead(): void {
    this.fieldCount = 0
    this.urlStart = -1
    this.urlEnd = -1
  }

  /** Goes on with a head of which `seen` bytes have been parsed before. */
  executeHead(parser: number, from: number, to: number, seen: number): number {
    this.#body = null
    return this.#execute(parser, from, to, seen)
  }

  /** Goes on after a head that had a transfer coding: its body follows. */
  resume(parser: number): void {
    this.#exports.llhttp_resume(parser)
  }

  /**
   * Decodes a part of a chunked body. The data is then at `decoded()`; chunks are run together, so
   * that many tiny ones cost no more than one.
   */
  executeBody(parser: number, from: number, to: number, body: ChunkedBody): number {
    this.#body = body
    this.#decoded = 0
    const code = this.#execute(parser, from, to, body.seen)
    const isInTrailers = code === LLHTTP_INVALID_HEADER_TOKEN
    body.endInput(body.seen + this.consumed - from, this.messageComplete, isInTrailers)
    return code
  }

  /** A copy of what `executeBody` decoded, or null when it was nothing. */
  decoded(): Buffer | null {
    if (this.#decoded === 0) return null
    const copy = Buffer.allocUnsafeSlow(this.#decoded)
    this.#memory.copy(copy, 0, this.#window, this.#window + this.#decoded)
    return copy
  }

  method(parser: number): string {
    return METHODS[this.#memory[parser + OFFSET_METHOD] as number] as string
  }

  /** The same as `method(parser) === 'HEAD'`; false while the method is not known. */
  isHead(parser: number): boolean {
    return this.#memory[parser + OFFSET_METHOD] === METHOD_HEAD
  }

  major(parser: number): number {
    return this.#memory[parser + OFFSET_MAJOR] as number
  }

  minor(parser: number): number {
    return this.#memory[parser + OFFSET_MINOR] as number
  }

  flags(parser: number): number {
    const at = parser + OFFSET_FLAGS
    return (this.#memory[at] as number) | ((this.#memory[at + 1] as number) << 8)
  }

  /** The byte of the loaded source at `position`, or -1 past its end. */
  byteAt(position: number): number {
    if (position >= this.#sourceTo) return -1
    return this.#memory[this.#window + position - this.#sourceFrom] as number
  }

  /** llhttp's words for the last error. */
  reason(parser: number): string {
    const start = this.#exports.llhttp_get_error_reason(parser)
    return latin1Slice.call(this.#memory, start, this.#memory.indexOf(0, start))
  }

  onUrl(at: number, length: number): void {
    const start = at - this.#window + this.#delta
    if (this.urlStart < 0) this.urlStart = start
    this.urlEnd = start + length
  }

  onField(at: number, length: number): number {
    const start = at - this.#window + this.#delta
    if (this.#body !== null) {
      return this.#body.trailerName(start, latin1Slice.call(this.#memory, at, at + length))
    }
    const count = this.fieldCount
    const last = (count - 1) * 4
    // A name cut by the end of the input comes in parts: the next one goes on where it ended.
    if (count > 0 && this.spans[last + 1] === start && this.spans[last + 2] === -1) {
      this.spans[last + 1] = start + length
    } else if (count < MAX_FIELDS) {
      const next = count * 4
      this.spans[next] = start
      this.spans[next + 1] = start + length
      this.spans[next + 2] = -1
      this.fieldCount = count + 1
    }
    return LLHTTP_OK
  }

  onValue(at: number, length: number): number {
    if (this.#body !== null) {
      return this.#body.trailerValue(latin1Slice.call(this.#memory, at, at + length))
    }
    const start = at - this.#window + this.#delta
    const last = (this.fieldCount - 1) * 4
    if (this.spans[last + 2] === -1) this.spans[last + 2] = start
    this.spans[last + 3] = start + length
    return LLHTTP_OK
  }

  /** 1 skips the body, LLHTTP_PAUSED ends the parse before it. */
  onHeadersComplete(parser: number): number {
    const flags = this.flags(parser)
    if ((flags & FLAG_TRANSFER_ENCODING) !== 0) return LLHTTP_PAUSED
    return (flags & FLAG_CONTENT_LENGTH) !== 0 ? 1 : 0
  }

  onBody(at: number, length: number): number {
    const offset = at - this.#window
    const code = (this.#body as ChunkedBody).data(offset + this.#delta, length)
    if (code !== LLHTTP_OK) return code
    if (offset !== this.#decoded) {
      this.#memory.copyWithin(this.#window + this.#decoded, at, at + length)
    }
    this.#decoded += length
    return LLHTTP_OK
  }

  onMessageComplete(): number {
    this.messageComplete = true
    return LLHTTP_PAUSED
  }

  #execute(parser: number, from: number, to: number, seen: number): number {
    if (this.#executing) throw new Error('llhttp: re-entered')
    const base = this.#window - this.#sourceFrom
    this.#delta = seen - (from - this.#sourceFrom)
    this.messageComplete = false
    this.#executing = true
    const code = this.#exports.llhttp_execute(parser, base + from, to - from)
    this.#executing = false
    this.code = code
    this.consumed = code === LLHTTP_OK ? to : this.#errorPosition(parser) - base
    return code
  }

  #errorPosition(parser: number): number {
    return this.#words[(parser + OFFSET_ERROR_POSITION) >> 2] as number
  }

  /** The struct's layout is read directly on the hot path: make sure that it is what we think. */
  #check(): void {
    const probe = Buffer.from('POST / HTTP/1.0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    const parser = this.acquire()
    this.beginHead()
    this.load(probe, 0, probe.length, WINDOW_BYTES)
    this.executeHead(parser, 0, probe.length, 0)
    const fits =
      this.code === LLHTTP_PAUSED &&
      this.consumed === probe.length &&
      this.#exports.llhttp_get_error_pos(parser) === this.#errorPosition(parser) &&
      this.method(parser) === 'POST' &&
      this.#exports.llhttp_get_method(parser) === METHODS.indexOf('POST') &&
      this.#exports.llhttp_get_http_major(parser) === this.major(parser) &&
      this.#exports.llhttp_get_http_minor(parser) === this.minor(parser) &&
      (this.flags(parser) & (FLAG_CLOSE | FLAG_CONTENT_LENGTH | FLAG_KEEP_ALIVE)) ===
        (FLAG_CLOSE | FLAG_CONTENT_LENGTH)
    if (!fits) throw new Error('llhttp: this build has another layout than rr was written for')
    this.release(parser)
    this.unload()
  }
}

function instantiate(llhttp: Llhttp): LlhttpExports {
  const env = {
    wasm_on_message_begin: () => 0,
    wasm_on_status: () => 0,
    wasm_on_url: (_parser: number, at: number, length: number) => {
      llhttp.onUrl(at, length)
      return 0
    },
    wasm_on_header_field: (_parser: number, at: number, length: number) =>
      llhttp.onField(at, length),
    wasm_on_header_value: (_parser: number, at: number, length: number) =>
      llhttp.onValue(at, length),
    wasm_on_headers_complete: (parser: number) => llhttp.onHeadersComplete(parser),
    wasm_on_body: (_parser: number, at: number, length: number) => llhttp.onBody(at, length),
    wasm_on_message_complete: () => llhttp.onMessageComplete(),
  }
  const wasm = require('undici/lib/llhttp/llhttp_simd-wasm.js') as Buffer<ArrayBuffer>
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env })
  return instance.exports as unknown as LlhttpExports
}

/** The thread's parser. */
export const llhttp: Llhttp = new Llhttp()
export type { Llhttp }
