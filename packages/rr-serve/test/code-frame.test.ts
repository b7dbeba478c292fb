import t from 'tap'
import { codeFrame, findLiteral } from '../src/code-frame.ts'

t.test('two lines before, one after, a caret', async (t) => {
  const path = `${t.testdir({ 'a.ts': 'one\ntwo\nthree\n\tfour = 4\nfive\nsix\n' })}/a.ts`
  t.equal(
    codeFrame({ path, line: 4, column: 7 }),
    '  2 | two\n  3 | three\n> 4 | \tfour = 4\n    | \t     ^\n  5 | five',
  )
  t.equal(codeFrame({ path, line: 1, column: 1 }), '> 1 | one\n    | ^\n  2 | two')
  t.equal(
    codeFrame({ path, line: 6, column: 3 }),
    '  4 | \tfour = 4\n  5 | five\n> 6 | six\n    |   ^',
  )
  t.equal(codeFrame({ path, line: 7, column: 1 }), '  5 | five\n  6 | six\n> 7 |\n    | ^')
})

t.test('line numbers are aligned', async (t) => {
  const path = `${t.testdir({ 'a.ts': 'x\n'.repeat(12) })}/a.ts`
  t.equal(
    codeFrame({ path, line: 9, column: 1 }),
    '   7 | x\n   8 | x\n>  9 | x\n     | ^\n  10 | x',
  )
})

t.test('a line that is too long is cut', async (t) => {
  const path = `${t.testdir({ 'a.ts': 'x'.repeat(10_000) })}/a.ts`
  t.equal(codeFrame({ path, line: 1, column: 9000 }), `> 1 | ${'x'.repeat(160)}`)
})

t.test('no frame for a place that is not there', async (t) => {
  const path = `${t.testdir({ 'a.ts': 'x' })}/a.ts`
  t.equal(codeFrame({ path, line: 2, column: 1 }), '')
  t.equal(codeFrame({ path: `${path}x`, line: 1, column: 1 }), '')
})

t.test('finds a string literal', async (t) => {
  const source = 'import a from \'./a.ts\'\nimport b from "b"\n'
  const path = `${t.testdir({ 'a.ts': source })}/a.ts`
  t.strictSame(
    findLiteral(path, (text) => text === './a.ts'),
    { path, line: 1, column: 15 },
  )
  t.strictSame(
    findLiteral(path, (text) => text === 'b'),
    { path, line: 2, column: 15 },
  )
  t.equal(
    findLiteral(path, (text) => text === 'd'),
    null,
  )
  t.equal(
    findLiteral(`${path}x`, () => true),
    null,
  )
})
