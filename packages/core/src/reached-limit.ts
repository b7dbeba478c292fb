/** Limits that end a request or its connection, each counted by itself: the options of these names. */
export const REACHED_LIMITS = [
  'maxRequestLineBytes',
  'maxHeaderLineBytes',
  'maxHeaderBlockBytes',
  'maxHeaders',
  'maxBodyBytes',
  'maxChunkExtensionBytes',
  'headersTimeoutMs',
  'requestTimeoutMs',
  'minBytesPerSecond',
  'sendTimeoutMs',
  'halfOpenTimeoutMs',
] as const

/** The option whose bound a client has met. */
export type ReachedLimit = (typeof REACHED_LIMITS)[number]
