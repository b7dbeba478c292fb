/**
 * Bytes as a string, a character a byte: Node's own method behind `toString('latin1')`, without
 * the argument checks that cost a third of a short call. Not documented, and part of every Node.
 */
export const latin1Slice: (this: Uint8Array, start: number, end: number) => string = (
  Buffer.prototype as unknown as {
    latin1Slice(this: Uint8Array, start: number, end: number): string
  }
).latin1Slice

/** Copies a part of any bytes, without a view of it: `Buffer.prototype.copy`, also for Uint8Array. */
export const copyBytes: (
  this: Uint8Array,
  target: Uint8Array,
  targetStart: number,
  start: number,
  end: number,
) => number = Buffer.prototype.copy
