// W3C Trace Context, §3.2: which `traceparent` fields are taken.

import t from 'tap'
import { parseTraceParent } from '../src/trace-parent.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

t.test('§3.2.2: version 00 has four fields of fixed length', async (t) => {
  const given = `00-${TRACE}-${PARENT}-01`
  t.same(parseTraceParent(given), { traceId: TRACE, parentId: PARENT, isSampled: true })
  t.equal(parseTraceParent(`00-${TRACE}-${PARENT}-00`)?.isSampled, false)
  t.equal(parseTraceParent(`00-${TRACE}-${PARENT}-02`)?.isSampled, false)
  t.equal(parseTraceParent(`00-${TRACE}-${PARENT}-ff`)?.isSampled, true)
})

t.test('§3.2.4: later versions are read as far as they are known', async (t) => {
  t.equal(parseTraceParent(`01-${TRACE}-${PARENT}-01`)?.traceId, TRACE)
  t.equal(parseTraceParent(`cc-${TRACE}-${PARENT}-01-what the future brings`)?.traceId, TRACE)
  t.equal(parseTraceParent(`cc-${TRACE}-${PARENT}-01.`), null)
})

const INVALID: Readonly<Record<string, string | null>> = {
  'no field': null,
  'an empty one': '',
  'version ff': `ff-${TRACE}-${PARENT}-01`,
  'more than version 00 has': `00-${TRACE}-${PARENT}-01-more`,
  'a trace id of zeros': `00-${'0'.repeat(32)}-${PARENT}-01`,
  'a parent id of zeros': `00-${TRACE}-${'0'.repeat(16)}-01`,
  'upper case': `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  'a trace id that is short': `00-${TRACE.slice(1)}-${PARENT}-011`,
  'a trace id that is long': `00-${TRACE}0-${PARENT}-01`,
  'a parent id that is long': `00-${TRACE}-${PARENT}0-01`,
  'flags that are short': `00-${TRACE}-${PARENT}-1`,
  'other digits': `00-${TRACE.replace('a', 'g')}-${PARENT}-01`,
  'a field that was sent twice': `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
  'a line break': `cc-${TRACE}-${PARENT}-01-\n{"forged":1}`,
}

for (const [title, value] of Object.entries(INVALID)) {
  t.test(`${title} is none`, async (t) => t.equal(parseTraceParent(value), null))
}
