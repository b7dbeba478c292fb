import t from 'tap'
import { ApplicationLoadError, explainLoadError, findExplanation } from '../src/load-error.ts'

t.test('an error that is its own cause is told once', async (t) => {
  const error = new Error('round')
  error.cause = error
  t.equal(explainLoadError(error, null).split('Error: round').length, 2)
  t.equal(findExplanation(error), null)
})

t.test('causes in a ring are told once each', async (t) => {
  const first = new Error('first')
  const second = new AggregateError([first], 'second', { cause: first })
  first.cause = second
  second.errors.push(second)
  const text = explainLoadError(first, null)
  t.equal(text.split('Error: first').length, 2)
  t.equal(text.split('caused by: AggregateError: second').length, 2)
})

t.test('errors of an AggregateError are told with theirs, and its cause', async (t) => {
  const inner = new AggregateError([new Error('deep'), 'just text'], 'inner')
  const error = new AggregateError([inner], 'outer', { cause: Object.create(null) })
  const text = explainLoadError(error, null)
  t.match(text, 'one of its errors: AggregateError: inner')
  t.match(text, 'one of its errors: Error: deep')
  t.match(text, "one of its errors: 'just text'")
  t.match(text, 'caused by: [Object: null prototype] {}')
})

t.test('of very many causes the first are told', async (t) => {
  let error = new Error('last')
  for (let depth = 0; depth < 100_000; depth++) error = new Error(`at ${depth}`, { cause: error })
  const text = explainLoadError(error, null)
  t.equal(text.split('\n\ncaused by: Error').length, 21)
  t.match(text, /and more errors, which are not shown$/)
  const wide = new AggregateError(Array.from({ length: 1000 }, () => new Error('one')))
  t.equal(explainLoadError(wide, null).split('\n\none of its errors: Error').length, 21)
})

t.test('an explanation is found among the causes', async (t) => {
  const explained = new ApplicationLoadError('because')
  t.equal(findExplanation(new Error('outer', { cause: explained })), 'because')
})
