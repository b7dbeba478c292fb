import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { checkLayers } from '../scripts/check-layers.mjs'
import { scanImports } from '../scripts/import-scan.mjs'

/** What the check says of a tree that holds these files. */
function problemsOf(t: Test, files: Record<string, string>): string[] {
  const root = t.testdir()
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), source)
  }
  return checkLayers(root).problems
}

t.test('the allowed directions pass', async (t) => {
  t.same(
    problemsOf(t, {
      'packages/core/src/index.ts': "export { a } from './http1/connection.ts'\n",
      'packages/core/src/request.ts':
        "import { randomBytes } from 'node:crypto'\nexport const b = 1\n",
      'packages/core/src/http1/connection.ts':
        "import { read } from './head-codec.ts'\nimport { b } from '../request.ts'\nexport const a = 1\n",
      'packages/core/src/http1/head-codec.ts':
        "import type { b } from '../request.ts'\nimport wasm from 'undici/lib/llhttp/llhttp-wasm.js'\n",
      'packages/router/src/index.ts': "import { type Handler, text } from '@rr/core'\n",
      'packages/listener/src/index.ts':
        "import net from 'node:net'\nimport { a } from '@rr/core'\n",
      'packages/rr-serve/src/main.ts':
        "import pino from 'pino'\nimport { serve } from '@rr/listener'\n",
    }),
    [],
  )
})

t.test('each forbidden edge is named with its file and line', async (t) => {
  const cases: [title: string, file: string, source: string, expected: RegExp][] = [
    [
      'semantics use a protocol',
      'packages/core/src/request.ts',
      "import { x } from './http1/head.ts'",
      /core semantics may not import core HTTP\/1 codec/,
    ],
    [
      'semantics use a protocol type',
      'packages/core/src/request.ts',
      "import type { x } from './http1/head.ts'",
      /may not import/,
    ],
    [
      'a codec uses the connection',
      'packages/core/src/http1/head.ts',
      "import { x } from './connection.ts'",
      /core HTTP\/1 codec may not import core HTTP\/1 connection/,
    ],
    [
      'core uses a socket',
      'packages/core/src/body.ts',
      "import { Socket } from 'node:net'",
      /'node:net' is out of reach/,
    ],
    [
      'core uses a package',
      'packages/core/src/body.ts',
      "import pino from 'pino'",
      /may not import 'pino'/,
    ],
    [
      'core uses the listener',
      'packages/core/src/body.ts',
      "const l = await import('@rr/listener')",
      /may not import '@rr\/listener'/,
    ],
    [
      'the router uses a socket',
      'packages/router/src/index.ts',
      "import net from 'node:net'",
      /'node:net' is out of reach/,
    ],
    [
      'the router uses the middleware',
      'packages/router/src/index.ts',
      "import { cors } from '@rr/middleware'",
      /router may not import '@rr\/middleware'/,
    ],
    [
      'the listener uses the router',
      'packages/listener/src/index.ts',
      "export * from '@rr/router'",
      /listener may not import '@rr\/router'/,
    ],
    [
      'the listener uses the command',
      'packages/listener/src/index.ts',
      "import { main } from 'rr-serve'",
      /may not import 'rr-serve'/,
    ],
    [
      'a path leaves the package',
      'packages/listener/src/index.ts',
      "import { x } from '../../core/src/request.ts'",
      /leaves the package/,
    ],
    [
      'an inner module of a package',
      'packages/listener/src/index.ts',
      "import { x } from '@rr/core/dist/request.js'",
      /may not import '@rr\/core\/dist/,
    ],
  ]
  const others = {
    'packages/core/src/http1/head.ts': '',
    'packages/core/src/http1/connection.ts': '',
    'packages/core/src/request.ts': '',
  }
  for (const [title, file, source, expected] of cases) {
    const problems = problemsOf(t, { ...others, [file]: `\n${source}\n` })
    t.equal(problems.length, 1, `${title}: one problem`)
    t.match(problems[0], expected, title)
    t.ok(problems[0]?.startsWith(`${file}:2: `), `${title}: place`)
  }
})

t.test('data out of an I/O module is an exception by name', async (t) => {
  const file = 'packages/core/src/http1/response-head.ts'
  t.same(problemsOf(t, { [file]: "import { STATUS_CODES } from 'node:http'\n" }), [])
  const more = problemsOf(t, { [file]: "import { STATUS_CODES, request } from 'node:http'\n" })
  t.match(more, [/'node:http' is out of reach/])
})

t.test('a cycle is named in full, also one of types only', async (t) => {
  const problems = problemsOf(t, {
    'packages/core/src/a.ts': "import { b } from './b.ts'\n",
    'packages/core/src/b.ts': "import type { c } from './c.ts'\n",
    'packages/core/src/c.ts': "export { a } from './a.ts'\n",
  })
  t.same(problems, [
    'import cycle: packages/core/src/a.ts -> packages/core/src/b.ts -> packages/core/src/c.ts -> packages/core/src/a.ts',
  ])
})

t.test('the scan sees every form of import and no comment or string', async (t) => {
  const source = [
    "import a from 'a'",
    'import {',
    '  b,',
    "} from 'b'",
    "import 'c'",
    "export type { D } from 'd'",
    "import type E from 'e'",
    "import type from 'f'",
    "  const g = await import('g')",
    "// import h from 'h'",
    '/* import',
    "import i from 'i'",
    '*/',
    ' * import j from "j"',
    'const text = "from \'k\'"',
    "export const l = { from: 'l' }",
  ].join('\n')
  t.same(
    scanImports(source).map(({ specifier, typeOnly, line }) => [specifier, typeOnly, line]),
    [
      ['a', false, 1],
      ['b', false, 2],
      ['c', false, 5],
      ['d', true, 6],
      ['e', true, 7],
      ['f', false, 8],
      ['g', false, 9],
    ],
  )
})
