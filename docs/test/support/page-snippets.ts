import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { listen } from '@rr/listener'
import type { Test } from 'tap'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Asks the application that a snippet exports. */
export type Get = (path: string, init?: RequestInit) => Promise<Response>

/** Checks what it answers; `url` is for what `fetch` cannot show. */
export type ApplicationCheck = (t: Test, get: Get, url: string) => Promise<void>

/** What the snippets of a page are to do, each under its name. All of them must compile. */
export interface PageChecks {
  /** Those whose default export is an application: what it answers. */
  readonly applications: Readonly<Record<string, ApplicationCheck>>
  /** Those that are run as a program: what `stdout` is. */
  readonly programs?: Readonly<Record<string, (t: Test, stdout: string) => void>>
  /** Those that others import. */
  readonly modules?: readonly string[]
  /** What the snippets find beside them: content by path. */
  readonly files?: Readonly<Record<string, string>>
}

interface Snippet {
  readonly name: string
  readonly source: string
}

/** A page under docs/, with its snippets in a folder of their own. */
interface Page {
  readonly name: string
  readonly snippets: readonly Snippet[]
  readonly folder: string
  readonly checks: PageChecks
}

/**
 * Compiles and runs the TypeScript of pages under docs/. Each block begins with a line `// name.ts`.
 * One run of the compiler does for all the pages.
 */
export function testPages(t: Test, checksByPage: Readonly<Record<string, PageChecks>>): void {
  // Within the workspace, where their imports resolve; a folder that tools pass over.
  const folder = mkdtempSync(join(root, 'node_modules/.snippets-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const pages = Object.entries(checksByPage).map(([name, checks], index) =>
    writePage(name, checks, join(folder, String(index))),
  )
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const faults = compile(folder, pages)
  for (const page of pages) t.test(page.name, async (t) => testPage(t, page, faults))
}

/** The code blocks of a page in one language. */
export function codeBlocks(name: string, language: string): string[] {
  return blocksOf(readFileSync(join(root, 'docs', name), 'utf8'), language)
}

function blocksOf(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))
  return [...blocks].map(([, source = '']) => source)
}

/** @throws Error where a block of TypeScript would go unchecked */
function snippetsOf(page: string): Snippet[] {
  const markdown = readFileSync(join(root, 'docs', page), 'utf8')
  const snippets = blocksOf(markdown, 'ts').map((source) => {
    const name = /^\/\/ ([\w.-]+\.ts)\b/.exec(source)?.[1]
    if (name === undefined) throw new Error(`${page}: a snippet has no name: ${source}`)
    return { name, source }
  })
  const fences = markdown.match(/^ *```(?:ts|typescript)/gm)?.length ?? 0
  if (fences !== snippets.length) throw new Error(`${page}: a snippet's fence is not \`\`\`ts`)
  return snippets
}

function writePage(name: string, checks: PageChecks, folder: string): Page {
  const snippets = snippetsOf(name)
  mkdirSync(folder)
  for (const [path, content] of Object.entries(checks.files ?? {})) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  for (const { name, source } of snippets) {
    writeFileSync(join(folder, name), source)
    // Node strips no types below node_modules.
    const script = snippets.reduce(
      (text, other) => text.replaceAll(`'./${other.name}'`, `'./${asJs(other.name)}'`),
      stripTypeScriptTypes(source),
    )
    writeFileSync(join(folder, asJs(name)), script)
  }
  return { name, snippets, folder, checks }
}

function asJs(name: string): string {
  return name.replace(/ts$/, 'js')
}

/** The first fault that the compiler finds in each file. */
function compile(folder: string, pages: readonly Page[]): ReadonlyMap<string, string> {
  const config = {
    extends: join(root, 'tsconfig.check.json'),
    compilerOptions: { incremental: false, tsBuildInfoFile: null, types: ['node'] },
    files: pages.flatMap((page) => page.snippets.map(({ name }) => join(page.folder, name))),
    include: [],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { status, stdout } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const found = new Map<string, string>()
  for (const [line, name = ''] of stdout.matchAll(/^(\S+?)\(\d.*$/gm)) {
    const path = join(folder, name)
    if (!found.has(path)) found.set(path, line)
  }
  if (status !== 0 && found.size === 0) throw new Error(`tsc failed: ${stdout}`)
  return found
}

function testPage(t: Test, page: Page, faults: ReadonlyMap<string, string>): void {
  const { applications, programs = {}, modules = [] } = page.checks
  t.test('every snippet is checked', async (t) => {
    const checked = [...Object.keys(applications), ...Object.keys(programs), ...modules]
    t.same(page.snippets.map(({ name }) => name).sort(), checked.sort())
  })
  for (const { name } of page.snippets) {
    t.test(`${name} compiles and does what the page says`, async (t) => {
      const path = join(page.folder, name)
      t.equal(faults.get(path), undefined)
      const script = join(page.folder, asJs(name))
      const program = programs[name]
      if (program !== undefined) program(t, await run(script))
      const check = applications[name]
      if (check === undefined) return
      const url = await serveScript(t, script)
      await check(t, (path, init) => fetch(url + path, init), url)
    })
  }
}

async function run(script: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  return stdout
}

async function serveScript(t: Test, script: string): Promise<string> {
  const { default: app } = (await import(pathToFileURL(script).href)) as { default: unknown }
  const server = await listen(app, { host: '127.0.0.1', port: 0, onError: () => {} })
  t.teardown(() => server.stop())
  return server.url
}
