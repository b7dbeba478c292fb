import { RrError } from '@rr/core'
import t from 'tap'
import { deserializeError, serializeError } from '../src/serialized-error.ts'

t.test('an error survives the way to another thread', async (t) => {
  const cause = Object.assign(new Error('address in use'), { code: 'EADDRINUSE' })
  const error = new TypeError('went wrong', { cause })
  const copy = deserializeError(structuredClone(serializeError(error)))
  t.ok(copy instanceof Error)
  t.match(copy, { name: 'TypeError', message: 'went wrong', stack: error.stack })
  t.match(copy.cause, { message: 'address in use', code: 'EADDRINUSE', stack: cause.stack })
})

t.test('an RrError is one again', async (t) => {
  const error = new RrError('RR_APPLICATION_INVALID', 'not an application')
  const copy = deserializeError(serializeError(error))
  t.ok(copy instanceof RrError)
  t.match(copy, { code: 'RR_APPLICATION_INVALID', status: 500, message: 'not an application' })
})

t.test('whatever is thrown can be shown', async (t) => {
  for (const thrown of [undefined, null, 0, 'text', { a: 1 }, Symbol('s'), () => {}]) {
    t.match(serializeError(thrown), { message: /not an error/ })
  }
  const hostile = new Error('x')
  Object.defineProperty(hostile, 'message', {
    get() {
      throw new Error('from the getter')
    },
  })
  t.match(serializeError(hostile), { message: /cannot be read/ })
  const proxy = new Proxy(
    {},
    {
      getPrototypeOf: () => {
        throw new Error('no')
      },
    },
  )
  t.match(serializeError(proxy), { message: /cannot be read/ })
})

t.test('what one error carries is bounded', async (t) => {
  const error = new Error('m'.repeat(1_000_000))
  error.cause = error
  const text = JSON.stringify(serializeError(error))
  t.ok(text.length < 200_000, `${text.length} characters, with itself as its cause`)
})
