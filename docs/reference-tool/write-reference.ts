// Writes docs/reference, or the folder named, from the built packages' types and doc comments.
// Usage: node write-reference.ts [folder]

import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, PageEvent, type TypeDocOptions } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'
import { renderIndexPage } from './index-page.ts'
import { describeOptions } from './option-tables.ts'
import { PACKAGES } from './packages.ts'

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
  for (const reflection of module.children ?? []) describeOptions(reflection)
}

app.renderer.on(PageEvent.END, (page) => {
  const { router } = app.renderer
  if (page.model !== project || router === undefined) return
  page.contents = renderIndexPage(project, (reflection) => router.getFullUrl(reflection))
})
app.validate(project)
await app.generateOutputs(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1
