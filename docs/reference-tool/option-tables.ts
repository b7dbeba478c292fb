import { Comment, type DeclarationReflection, ReferenceType } from 'typedoc'
import {
  describeDefault,
  describeValues,
  type OptionRow,
  type OptionTable,
} from '../../packages/core/dist/index.js'
import { PACKAGES } from './packages.ts'

/** The option tables that the packages export, by name. */
const tables: ReadonlyMap<string, OptionTable> = await loadTables()

async function loadTables(): Promise<Map<string, OptionTable>> {
  const found = new Map<string, OptionTable>()
  for (const name of PACKAGES) {
    const exports = (await import(`../../packages/${name}/dist/index.js`)) as object
    for (const [key, value] of Object.entries(exports)) {
      if (key.endsWith('_OPTIONS')) found.set(key, value as OptionTable)
    }
  }
  return found
}

/**
 * Says of options what the types cannot, because it is in the rows of a table: on each property
 * that stands for a row, and at the tables themselves, whose types would be pages long.
 */
export function describeOptions(reflection: DeclarationReflection): void {
  const table = tables.get(reflection.name)
  if (table !== undefined) describeTable(reflection, table)
  if (!/Options(Input)?$/.test(reflection.name)) return
  for (const property of reflection.children ?? []) {
    const row = onlyRow(property.name)
    if (row === null || property.comment !== undefined) continue
    property.comment = comment(
      `${row.doc} Default \`${describeDefault(row)}\`; takes ${describeValues(row)}.`,
    )
  }
}

/** The row of that name, or null where there is none, or several that differ. */
function onlyRow(name: string): OptionRow | null {
  const rows = [...tables.values()].flatMap((table) =>
    Object.hasOwn(table, name) ? (table[name] ?? []) : [],
  )
  const isSame = rows.every((row) => row.doc === rows[0]?.doc && row.default === rows[0].default)
  return isSame ? (rows[0] ?? null) : null
}

function describeTable(reflection: DeclarationReflection, table: OptionTable): void {
  const rows = Object.entries(table).map(
    ([name, row]) =>
      `| \`${name}\` | \`${describeDefault(row)}\` | ${describeValues(row)} | ${row.doc} |`,
  )
  const text = ['\n', '| option | default | takes | |', '|---|---|---|---|', ...rows].join('\n')
  reflection.comment ??= comment('')
  reflection.comment.summary.push({ kind: 'text', text })
  const { project, type } = reflection
  if (type?.type === 'reflection') project.removeReflection(type.declaration)
  reflection.type = ReferenceType.createBrokenReference('OptionTable', project, '@rr/core')
}

function comment(text: string): Comment {
  return new Comment([{ kind: 'text', text }])
}
