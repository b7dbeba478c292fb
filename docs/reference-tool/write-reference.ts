// Writes docs/reference, or the folder named, from the built packages' types and doc comments.
// Usage: node write-reference.ts [folder]

import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Application,
  Comment,
  type DeclarationReflection,
  PageEvent,
  type ProjectReflection,
  ReferenceType,
  type TypeDocOptions,
} from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import { describeValues, HTTP_OPTIONS, type OptionTable } from '../../packages/core/dist/index.js'
import { SERVER_OPTIONS } from '../../packages/listener/dist/index.js'
import { renderIndexPage } from './index-page.ts'
import { PACKAGES } from './packages.ts'

const OPTION_ROWS: OptionTable = { ...HTTP_OPTIONS, ...SERVER_OPTIONS }

const root = fileURLToPath(new URL('../../', import.meta.url))
const out = resolve(process.argv[2] ?? fileURLToPath(new URL('../reference', import.meta.url)))

/** What is not said here is the generators' default. */
const options: Partial<TypeDocOptions> = {
  entryPoints: PACKAGES.map((name) => `${root}packages/${name}/dist/index.d.ts`),
  basePath: `${root}packages`,
  tsconfig: fileURLToPath(new URL('tsconfig.input.json', import.meta.url)),
  plugin: ['typedoc-plugin-markdown'],
  outputs: [{ name: 'markdown', path: out }],
  router: 'module',
  readme: 'none',
  name: 'API reference',
  kindSortOrder: ['Function', 'Class', 'Variable', 'Interface', 'TypeAlias'],
  groupOrder: ['Functions', 'Classes', 'Variables', 'Interfaces', 'Type Aliases'],
  // Lines and commits of the source would change the pages with every edit.
  disableSources: true,
  disableGit: true,
  // Errors have the members of Error: Node's own text on them would be most of a page.
  excludeExternals: true,
  excludePrivate: true,
  // Types of parameters that are no use by themselves are not exported.
  validation: { notExported: false, invalidLink: true, notDocumented: false },
  treatValidationWarningsAsErrors: true,
  treatWarningsAsErrors: true,
  logLevel: 'Warn',
}

const markdownOptions = {
  hideBreadcrumbs: true,
  hidePageHeader: true,
  // The numbers that it gives to repeated headings are not those that GitHub would give.
  useHTMLAnchors: true,
  useCodeBlocks: true,
  pageTitleTemplates: { module: '@rr/{name}' },
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  tableColumnSettings: {
    hideInherited: true,
    hideModifiers: true,
    hideOverrides: true,
    hideSources: true,
  },
} satisfies Partial<PluginOptions>

const app = await Application.bootstrapWithPlugins({ ...options, ...markdownOptions })
const project = await app.convert()
if (project === undefined) throw new Error('the packages do not compile: run npx pnpm build')
for (const module of project.children ?? []) {
  module.name = module.name.replace(/\/dist$/, '')
  for (const reflection of module.children ?? []) {
    describeOptions(reflection)
    shortenTable(reflection, project)
  }
}

app.renderer.on(PageEvent.END, (page) => {
  const { router } = app.renderer
  if (page.model !== project || router === undefined) return
  page.contents = renderIndexPage(project, (reflection) => router.getFullUrl(reflection))
})
await app.generateOutputs(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1

/** Options are rows of tables, of which types know the names: the rest goes to their properties. */
function describeOptions(reflection: DeclarationReflection): void {
  if (!/Options(Input)?$/.test(reflection.name)) return
  for (const property of reflection.children ?? []) {
    const row = OPTION_ROWS[property.name]
    if (row === undefined || property.comment !== undefined) continue
    const text = `${row.doc} Default \`${row.default}\`; takes ${describeValues(row)}.`
    property.comment = new Comment([{ kind: 'text', text }])
  }
}

/** The rows of an option table are on a page of their own, which says more. */
function shortenTable(reflection: DeclarationReflection, project: ProjectReflection): void {
  const { name, type } = reflection
  if (!name.endsWith('_OPTIONS') || type?.type !== 'reflection') return
  project.removeReflection(type.declaration)
  reflection.type = ReferenceType.createBrokenReference('OptionTable', project, '@rr/core')
}
