/** Every exit code of the command, with the sentence that help and README give for it. */
export const EXIT_CODES = {
  drained: { code: 0, doc: 'stopped by a signal, and every request in flight was answered' },
  failed: { code: 1, doc: 'the application could not be loaded, or the server failed' },
  usage: { code: 2, doc: 'wrong arguments or environment variables, or a Node.js that is too old' },
  cannotBind: { code: 3, doc: 'the address or port cannot be listened on' },
  drainForced: {
    code: 4,
    doc: 'stopped by a signal, and requests were cut off or threads left that were stuck: the drain timeout passed, or a second signal came',
  },
} as const

/** What the process ended of. */
export type ExitReason = keyof typeof EXIT_CODES

/** The number for `process.exit`. */
export function exitCode(reason: ExitReason): number {
  return EXIT_CODES[reason].code
}
