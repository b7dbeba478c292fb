import type { Test } from 'tap'
import { Conversation, type ConversationOptions } from './conversation.ts'

/** One requirement: what is sent, what is answered, and what becomes of the connection. */
export interface RequestCase extends ConversationOptions {
  readonly title: string
  readonly input: string | Uint8Array
  /** Final and interim statuses, in order. */
  readonly statuses: readonly number[]
  readonly then: 'open' | 'closed'
  /** Method of a request that is refused before a handler sees it. */
  readonly refusedMethod?: string
  /** FIN follows the input. */
  readonly finish?: boolean
  readonly check?: (t: Test, conversation: Conversation) => void
}

/** Runs each case with its input whole and byte by byte. */
export function runCases(t: Test, cases: readonly RequestCase[]): void {
  for (const one of cases) {
    t.test(one.title, async (t) => {
      for (const feed of ['whole', 'byte by byte'] as const) await runCase(t, one, feed)
    })
  }
}

async function runCase(t: Test, one: RequestCase, feed: 'whole' | 'byte by byte'): Promise<void> {
  const conversation = new Conversation(one)
  if (feed === 'whole') conversation.send(one.input)
  else conversation.sendBytes(one.input)
  if (one.finish === true) conversation.finish()
  await conversation.settle()
  t.same(conversation.statuses(one.refusedMethod), one.statuses, `${feed}: statuses`)
  t.equal(conversation.isOpen, one.then === 'open', `${feed}: the connection is ${one.then}`)
  t.equal(conversation.started, conversation.finished, `${feed}: every request is finished`)
  one.check?.(t, conversation)
}
