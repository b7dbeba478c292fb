import type { Test } from 'tap'
import { Conversation, type ConversationOptions } from './conversation.ts'

/** One requirement: what is sent, the statuses answered in order, what becomes of the connection. */
export type RequestCase = readonly [
  title: string,
  input: string | Uint8Array,
  statuses: number | readonly number[],
  connection: 'open' | 'closed',
  extra?: CaseExtra,
]

export interface CaseExtra extends ConversationOptions {
  /** Method of a request that is refused before a handler sees it. */
  readonly refusedMethod?: string
  /** FIN follows the input. */
  readonly finish?: boolean
  readonly check?: (t: Test, conversation: Conversation) => void
}

/** Runs each case with its input whole and byte by byte. */
export function runCases(t: Test, cases: readonly RequestCase[], common: CaseExtra = {}): void {
  for (const one of cases) {
    t.test(one[0], async (t) => {
      await runCase(t, one, common, 'whole')
      await runCase(t, one, common, 'byte by byte')
    })
  }
}

async function runCase(
  t: Test,
  [, input, statuses, connection, extra]: RequestCase,
  common: CaseExtra,
  feed: 'whole' | 'byte by byte',
): Promise<void> {
  const options = { ...common, ...extra }
  const conversation = new Conversation(options)
  if (feed === 'whole') conversation.send(input)
  else conversation.sendBytes(input)
  if (options.finish === true) conversation.finish()
  await conversation.settle()
  const expected = typeof statuses === 'number' ? [statuses] : statuses
  t.same(conversation.statuses(options.refusedMethod), expected, `${feed}: statuses`)
  t.equal(conversation.isOpen, connection === 'open', `${feed}: the connection is ${connection}`)
  t.equal(conversation.started, conversation.finished, `${feed}: every request is finished`)
  options.check?.(t, conversation)
}
