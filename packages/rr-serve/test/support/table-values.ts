import type { OptionRow } from '@rr/core'

/** Texts that a row takes, and what it takes them for. */
export function acceptedTexts(row: OptionRow): [text: string, value: unknown][] {
  switch (row.type) {
    case 'integer':
      return [
        [String(row.minimum), row.minimum],
        [String(row.maximum), row.maximum],
      ]
    case 'integer-or-auto':
      return [
        ['auto', 'auto'],
        [String(row.minimum), row.minimum],
        [String(row.maximum), row.maximum],
      ]
    case 'boolean':
      return [
        ['true', true],
        ['false', false],
      ]
    case 'enum':
      return row.values.map((value) => [value, value])
    case 'string':
      return [['some text', 'some text']]
    case 'string-list':
      return [
        ['loopback', ['loopback']],
        ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
      ]
  }
}

/** Texts just outside what a row takes. */
export function refusedTexts(row: OptionRow): string[] {
  switch (row.type) {
    case 'integer':
    case 'integer-or-auto':
      return [
        String(BigInt(row.minimum) - 1n),
        String(BigInt(row.maximum) + 1n),
        `${row.minimum}.5`,
        'some',
      ]
    case 'boolean':
      return ['maybe']
    case 'enum':
      return [`${row.values[0]}x`]
    case 'string':
      return ['']
    case 'string-list':
      return ['some', 'loopback,', '10.0.0.0/33']
  }
}
