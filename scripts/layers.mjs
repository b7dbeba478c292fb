/**
 * Who may import whom. The first row whose `files` matches a source file governs it; `imports`
 * names the rows it may use, `types` those it may use by `import type` only, and `packages` the
 * packages from outside. Files of one row may always import each other.
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {RegExp} files path from the root of the repository
 * @property {string[]} imports
 * @property {string[]} [types]
 * @property {(string | RegExp)[]} packages
 * @property {string[]} [ioExceptions] plain data that Node keeps in such a module
 * @property {boolean} [sansIo] true where sockets, threads, files and the environment are out of reach
 */

/** @type {Layer[]} */
export const layers = [
  {
    // The only files that put protocols and semantics together.
    name: 'core public API',
    files: /^packages\/core\/src\/(index|http-service)\.ts$/,
    imports: ['core semantics', 'core HTTP/1 connection', 'core HTTP/1 codec'],
    packages: [],
    sansIo: true,
  },
  {
    name: 'core HTTP/1 connection',
    files: /^packages\/core\/src\/http1\/connection[^/]*\.ts$/,
    imports: ['core HTTP/1 codec', 'core semantics'],
    packages: [],
    sansIo: true,
  },
  {
    // Bytes in, values or a tagged error out. Knows no connection and no application.
    name: 'core HTTP/1 codec',
    files: /^packages\/core\/src\/http1\//,
    imports: ['core semantics'],
    packages: [/^undici\/lib\/llhttp\//],
    sansIo: true,
    ioExceptions: ["{ STATUS_CODES } from 'node:http'"],
  },
  {
    // The one place of the core that reaches files: uploads that a handler wants in temporary ones.
    // Loaded when the first one asks.
    name: 'core upload files',
    files: /^packages\/core\/src\/upload-files\.ts$/,
    imports: [],
    packages: [],
  },
  {
    // Requests, responses, bodies, headers, limits: the same whatever protocol carries them.
    name: 'core semantics',
    files: /^packages\/core\/src\//,
    imports: ['core upload files'],
    // By multipart-parser.ts alone, which is loaded by the first multipart body.
    packages: ['@fastify/busboy'],
    sansIo: true,
    ioExceptions: ["{ STATUS_CODES } from 'node:http'"],
  },
  {
    name: 'router',
    files: /^packages\/router\/src\//,
    imports: ['@rr/core'],
    packages: [],
    sansIo: true,
  },
  {
    name: 'middleware',
    files: /^packages\/middleware\/src\//,
    imports: ['@rr/core', '@rr/router'],
    packages: [/^[^.]/],
  },
  {
    name: 'listener',
    files: /^packages\/listener\/src\//,
    imports: ['@rr/core'],
    packages: ['piscina'],
  },
  {
    name: 'rr-serve',
    files: /^packages\/rr-serve\/(src|bin)\//,
    imports: ['@rr/listener', '@rr/core'],
    packages: ['pino', 'pino-pretty', 'amaro'],
  },
  {
    name: 'bench',
    files: /^bench\/src\//,
    imports: ['rr-serve', '@rr/listener', '@rr/core', '@rr/router'],
    packages: [/^[^.]/],
  },
]

/** Packages of this workspace; from another package only these names may be imported. */
export const workspacePackages = [
  '@rr/core',
  '@rr/router',
  '@rr/middleware',
  '@rr/listener',
  'rr-serve',
]

/** Built-in modules through which a file would reach a socket, a thread, a file or a process. */
export const ioModules = [
  'net',
  'tls',
  'http',
  'https',
  'http2',
  'dgram',
  'dns',
  'fs',
  'fs/promises',
  'child_process',
  'cluster',
  'worker_threads',
  'process',
  'os',
  'timers',
  'timers/promises',
]
