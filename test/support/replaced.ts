/**
 * A text with parts of it replaced, each of which has to be there exactly once: a documented
 * configuration is run as it is but for its addresses and paths.
 */
export function replaced(text: string, changes: Readonly<Record<string, string>>): string {
  let changed = text
  for (const [from, to] of Object.entries(changes)) {
    const count = text.split(from).length - 1
    if (count !== 1) throw new Error(`${count} times in the text: ${from}`)
    changed = changed.replace(from, () => to)
  }
  return changed
}
