import { Comment, type DeclarationReflection, type ProjectReflection } from 'typedoc'

const HEAD = `# API reference

Written from the doc comments by \`npx pnpm docs:reference\`, with TypeDoc. Every name that a package
exports is on the package's page. What options mean: [configuration](../configuration.md); what
errors mean: [errors](../errors.md).
`

/**
 * The page with all names and the first sentence on each.
 *
 * @param urlOf the address of what is documented, from this page
 */
export function renderIndexPage(
  project: ProjectReflection,
  urlOf: (reflection: DeclarationReflection) => string,
): string {
  const sections = (project.children ?? []).map((module) => {
    const rows = (module.children ?? []).map(
      (entry) => `| [\`${entry.name}\`](${urlOf(entry)}) | ${firstSentence(entry)} |`,
    )
    const title = `## [@rr/${module.name}](${urlOf(module)})`
    return [title, '', '| name | |', '|---|---|', ...rows, ''].join('\n')
  })
  return [HEAD, ...sections].join('\n')
}

function firstSentence(entry: DeclarationReflection): string {
  const comment = entry.comment ?? entry.signatures?.[0]?.comment
  const [paragraph = ''] = Comment.combineDisplayParts(comment?.summary).split('\n\n')
  const text = paragraph.replace(/\s+/g, ' ').trim()
  const sentence = /^.*?[.:;](?= |$)/.exec(text)?.[0] ?? text
  return sentence.replace(/[:;]$/, '.').replaceAll('|', '\\|')
}
