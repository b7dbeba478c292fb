// The tables of guide/diagnostics.md say what the types say.

import { readFileSync } from 'node:fs'
import { REQUEST_CHANNELS } from '@rr/core'
import { SERVER_CHANNELS } from '@rr/listener'
import t from 'tap'

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const page = read('docs/guide/diagnostics.md')
const core = read('packages/core/src/diagnostics.ts')
const refusal = read('packages/core/src/refusal-entry.ts')
const listener = read('packages/listener/src/diagnostics.ts')

/** The body of an exported interface. */
function interfaceBody(source: string, name: string): string {
  return (
    new RegExp(`^export interface ${name}(?: extends \\w+)? \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(
      source,
    )?.[1] ?? ''
  )
}

t.test('each channel is listed with its message, and no other', async (t) => {
  const listed = [...page.matchAll(/^\| `(rr:[\w:]+)` \| .+ \| (?:event )?`([\w-]+)` \|$/gm)]
  t.same(
    listed.map(([, name]) => name),
    [...REQUEST_CHANNELS, ...SERVER_CHANNELS],
  )
  const types = interfaceBody(core, 'RequestChannels') + interfaceBody(listener, 'ServerChannels')
  for (const [, name = '', message] of listed) {
    const type = new RegExp(`readonly '${name}': (?:EventOf<')?([\\w-]+)`).exec(types)?.[1]
    t.equal(message, type, name)
  }
})

for (const [name, source] of [
  ['RequestMessage', core],
  ['RefusalMessage', refusal],
  ['ConnectionMessage', listener],
  ['DrainStartedMessage', listener],
  ['DrainEndedMessage', listener],
] as const) {
  t.test(`the fields of ${name} are listed in their order`, async (t) => {
    const table = new RegExp(
      `^\`${name}\`[^|]*\\| field \\| \\|\\n\\|---\\|---\\|\\n((?:\\|.*\\n)+)`,
      'm',
    )
    const rows = table.exec(page)?.[1] ?? ''
    // What a channel tells of a refusal is what onRefusal is told, and the worker.
    const body = name === 'RefusalMessage' ? 'RefusalEntry' : name
    const own = name === 'RefusalMessage' ? interfaceBody(core, name) : ''
    const text = own + interfaceBody(source, body)
    const fields = [...text.matchAll(/^ {2}readonly (\w+):/gm)]
    t.ok(fields.length > 1)
    t.same(
      [...rows.matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => field),
      fields.map(([, field]) => field),
    )
  })
}
