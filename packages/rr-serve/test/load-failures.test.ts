import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ServeProcess } from './support/serve-process.ts'

/** What stderr must hold, whole, after `rr-serve: cannot load app.ts` and an empty line. */
const SOURCES: Record<string, { files: Record<string, string>; app?: string; says: string }> = {
  'a syntax error in TypeScript': {
    files: { 'app.ts': 'const a: number = 1\nconst b: = 2\nexport default a\n' },
    says: `    at app.ts:2:10

  1 | const a: number = 1
> 2 | const b: = 2
    |          ^
  3 | export default a
`,
  },
  'a syntax error in a TypeScript file that is imported': {
    files: { 'app.ts': "import './lib.ts'\n", 'lib.ts': '\n\n  let x: string = (\n' },
    says: '    at lib.ts:',
  },
  'a syntax error in JavaScript': {
    files: { 'app.mjs': "import './lib.js'\n", 'lib.js': 'const a = 1\nconst b = ;\n' },
    app: 'app.mjs',
    says: `SyntaxError: Unexpected token ';'
    at lib.js:2:11

  1 | const a = 1
> 2 | const b = ;
    |           ^
`,
  },
  'a syntax error in CommonJS': {
    files: { 'app.cjs': 'const a = 1\nconst b = ;\n' },
    app: 'app.cjs',
    says: `SyntaxError: Unexpected token ';'
    at app.cjs:2:11

  1 | const a = 1
> 2 | const b = ;
    |           ^
`,
  },
  'syntax that TypeScript has and Node.js has not': {
    files: { 'app.ts': 'const log = (x: unknown) => x\n@log\nexport default class A {}\n' },
    says: `SyntaxError: Invalid or unexpected token
    at app.ts:2:1

  1 | const log = (x: unknown) => x
> 2 | @log
    | ^
  3 | export default class A {}
`,
  },
  'an import of a file that is missing': {
    files: { 'app.ts': "import './a.ts'\n", 'a.ts': "export const a = 1\nimport './b.ts'\n" },
    says: `Cannot find b.ts, imported from a.ts
    at a.ts:2:8

  1 | export const a = 1
> 2 | import './b.ts'
    |        ^
`,
  },
  'an import without its extension': {
    files: { 'app.ts': "import './lib'\n", 'lib.ts': '' },
    says: 'Cannot find lib, imported from app.ts; there is lib.ts beside it, and an import names the whole file\n    at app.ts:1:8\n',
  },
  'an import of a package that is missing': {
    files: { 'app.ts': "import x from 'rr-no-such-package/sub'\n" },
    says: "Cannot find 'rr-no-such-package', imported from app.ts\n    at app.ts:1:15\n",
  },
  'a require of a file that is missing': {
    files: { 'app.cjs': "require('./nope.cjs')\n" },
    app: 'app.cjs',
    says: "Cannot find './nope.cjs', imported from app.cjs\n    at app.cjs:1:9\n",
  },
  "a syntax error in the application's routes": {
    files: {
      'app.ts': `import { defineApp } from '${import.meta.resolve('@rr/core')}'
export default defineApp({ routes: new URL('./routes.ts', import.meta.url), setup() {} })
`,
      'routes.ts': 'const a: number = 1\nconst b = ;\n',
    },
    says: '    at routes.ts:2:',
  },
  'an import of a type as a value': {
    files: {
      'app.ts': "import { A } from './lib.ts'\n",
      'lib.ts': 'export interface A { b: 1 }\n',
    },
    says: `SyntaxError: The requested module './lib.ts' does not provide an export named 'A'; if it is a type, write 'import { type A }'
    at app.ts:1:10

> 1 | import { A } from './lib.ts'
    |          ^
`,
  },
}

/** Runs the command to its end, which is a failure told in terms of the application's own files. */
async function failToStart(
  t: Test,
  app: string,
  files: Record<string, string>,
): Promise<ServeProcess> {
  const server = new ServeProcess(t, ['-p', '0', app], { cwd: t.testdir(files) })
  t.equal(await server.exit, 1)
  t.notMatch(server.stderr, /node:|packages\/(?:rr-serve|listener|core)\//, 'no foreign frames')
  t.notMatch(server.stdout, /listening/)
  return server
}

for (const [title, { files, app = 'app.ts', says }] of Object.entries(SOURCES)) {
  t.test(title, async (t) => {
    const { stderr } = await failToStart(t, app, files)
    t.ok(stderr.startsWith(`rr-serve: cannot load ${app}\n\n`), stderr)
    t.ok(stderr.includes(says), stderr)
  })
}

/** What the whole of stderr must match, for an app.ts that is found and parsed but fails. */
const FAILURES: Record<string, { app: string; says: readonly RegExp[] }> = {
  'an error thrown at the top level, in lines of the source also when transformed': {
    app: `enum A { B }
function connect(): never {
  throw new TypeError('no url', { cause: 'x' })
}

connect()
`,
    says: [
      /^rr-serve: cannot load app\.ts\n\nTypeError: no url\n {4}at connect \(.+app\.ts:3:9\)\n/,
      /\n {4}at \S*.*app\.ts:6:1\)?\n/,
      /> 3 \| {3}throw new TypeError\('no url'/,
      /caused by: 'x'/,
    ],
  },
  'an error that is its own cause': {
    app: "const error = new Error('round')\nerror.cause = error\nthrow error\n",
    says: [/^rr-serve: cannot load app\.ts\n\nError: round\n {4}at \S*app\.ts:1:15\n/],
  },
  'something else thrown at the top level': {
    app: "throw 'nothing'",
    says: [/the application threw 'nothing', which is no Error/],
  },
  'something that has no text': {
    app: 'throw Object.create(null)',
    says: [/the application threw \[Object: null prototype\] \{\}, which is no Error/],
  },
  'setup that fails': {
    app: `import { defineApp, text } from '@rr/core'
export default defineApp({
  handler: () => text(''),
  setup: async () => {
    throw new Error('no database')
  },
})
`,
    says: [/^rr-serve: cannot start app\.ts\n\nError: no database\n {4}at \S.*app\.ts:5:11\)\n/],
  },
  'a default export that is no application': {
    app: 'export default { port: 1 }',
    says: [
      /^rr-serve: cannot serve app\.ts: an application exports by default a router, .* not an object with port\n$/,
    ],
  },
  'no default export': { app: 'export const app = 1', says: [/not nothing/] },
}

for (const [title, { app, says }] of Object.entries(FAILURES)) {
  t.test(title, async (t) => {
    const server = await failToStart(t, 'app.ts', { 'app.ts': app })
    for (const pattern of says) t.match(server.stderr, pattern)
  })
}

t.test('an application outside of every package, and in one that is broken', async (t) => {
  const outside = mkdtempSync(join(tmpdir(), 'rr-serve-'))
  t.teardown(() => rmSync(outside, { recursive: true }))
  const app = "export {}\nthrow new Error('broken')\n"
  for (const files of [{ 'app.mjs': app }, { 'app.mjs': app, 'package.json': 'null' }]) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(outside, name), text)
    const server = new ServeProcess(t, ['-p', '0', 'app.mjs'], { cwd: outside })
    t.equal(await server.exit, 1)
    t.match(
      server.stderr,
      /^rr-serve: cannot load app\.mjs\n\nError: broken\n {4}at \S*app\.mjs:2:7\n/,
    )
  }
})

t.test('TypeScript in node_modules is left to Node.js, which refuses it', async (t) => {
  const dir = t.testdir({
    'app.ts': "import 'dep'\n",
    node_modules: {
      dep: { 'package.json': '{"type":"module","exports":"./a.ts"}', 'a.ts': 'enum A { B }' },
    },
  })
  const server = new ServeProcess(t, ['-p', '0', 'app.ts'], { cwd: dir })
  t.equal(await server.exit, 1)
  t.match(server.stderr, 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING')
})
