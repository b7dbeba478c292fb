import t from 'tap'
import { shownValue } from '../src/shown-value.ts'

function throwing(): never {
  throw new Error('not to be asked')
}

t.test('any value is shown, and none throws', async (t) => {
  const cases: [value: unknown, shown: string | RegExp][] = [
    ['text', "'text'"],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [12n, '12n'],
    [{ a: 1 }, '{ a: 1 }'],
    [Object.create(null), '[Object: null prototype] {}'],
    [{ toString: throwing, [Symbol.toPrimitive]: throwing }, /^\{/],
    [
      {
        get [Symbol.toStringTag]() {
          return throwing()
        },
      },
      /./,
    ],
    [new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing }), /./],
    [Proxy.revocable({}, {}).proxy, '{}'],
  ]
  for (const [value, shown] of cases) t.match(shownValue(value), shown)
})

t.test('a long one is cut', async (t) => {
  t.ok(shownValue(Array.from({ length: 10 }, () => 'x'.repeat(10_000))).length <= 1003)
})
