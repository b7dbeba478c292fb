/**
 * Bytes as a string, a character a byte: Node's own method behind `toString('latin1')`, without
 * the argument checks that cost a third of a short call. Not documented, and part of every Node.
 */
export const latin1Slice: (this: Uint8Array, start: number, end: number) => string = (
  Buffer.prototype as unknown as {
    latin1Slice(this: Uint8Array, start: number, end: number): string
  }
).latin1Slice
