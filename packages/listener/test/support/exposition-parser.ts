/**
 * Reads the Prometheus text format 0.0.4, and OpenMetrics 1.0 as far as it is alike. Written from the
 * specifications (prometheus.io/docs/instrumenting/exposition_formats, and OpenMetrics 1.0.0), and
 * stricter where both leave a choice: what is not exactly in form throws.
 */

export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedFamily {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: ParsedSample[]
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const NUMBER = /^(?:[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf|-Inf|NaN)$/
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ['_bucket', '_sum', '_count'],
}

export function parseExposition(text: string, isOpenMetrics = false): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>()
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const lines = text.slice(0, -1).split('\n')
  if (isOpenMetrics && lines.pop() !== '# EOF') throw new Error('no # EOF at the end')
  const seen = new Set<string>()
  let family: ParsedFamily | null = null
  let help: { name: string; text: string } | null = null
  for (const line of lines) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      help = { name, text: unescaped(rest, isOpenMetrics ? /\\(["\\n])/g : /\\([\\n])/g) }
    } else if (keyword === 'TYPE') {
      if (families.has(name)) throw new Error(`a second group of ${name}`)
      if (!METRIC_NAME.test(name)) throw new Error(`bad name: ${line}`)
      if (help?.name !== name) throw new Error(`no HELP before ${line}`)
      family = { name, help: help.text, type: rest, samples: [] }
      families.set(name, family)
    } else {
      const sample = parseSample(line)
      const key = line.slice(0, line.lastIndexOf(' '))
      if (seen.has(key)) throw new Error(`twice: ${key}`)
      seen.add(key)
      if (family === null || !belongs(sample.name, family, isOpenMetrics)) {
        throw new Error(`outside of its group: ${line}`)
      }
      family.samples.push(sample)
    }
  }
  for (const each of families.values()) if (each.type === 'histogram') checkHistogram(each)
  return families
}

function belongs(name: string, family: ParsedFamily, isOpenMetrics: boolean): boolean {
  const ofCounter = isOpenMetrics ? ['_total'] : ['']
  const ofInfo = isOpenMetrics ? ['_info'] : ['']
  const own: Readonly<Record<string, readonly string[]>> = { counter: ofCounter, info: ofInfo }
  const suffixes = SUFFIXES[family.type] ?? own[family.type] ?? ['']
  return suffixes.some((suffix) => name === family.name + suffix)
}

function parseSample(line: string): ParsedSample {
  const [, name = '', braces, inside = '', value = ''] =
    /^([^\s{]+)(\{(.*)\})? (\S+)$/s.exec(line) ?? []
  if (!METRIC_NAME.test(name) || !NUMBER.test(value)) throw new Error(`bad sample: ${line}`)
  const labels: Record<string, string> = {}
  let rest = inside
  while (rest !== '') {
    const [whole = '', label = '', text = ''] =
      /^([^=]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/.exec(rest) ?? []
    if (!LABEL_NAME.test(label) || label in labels) throw new Error(`bad labels: ${line}`)
    labels[label] = unescaped(text, /\\(["\\n])/g)
    rest = rest.slice(whole.length)
  }
  if (braces === '{}') throw new Error(`empty labels: ${line}`)
  const number = value.replace('Inf', 'Infinity')
  return { name, labels, value: Number(number) }
}

function unescaped(text: string, pattern: RegExp): string {
  return text.replace(pattern, (_, character: string) => (character === 'n' ? '\n' : character))
}

/** Buckets rise with their bounds, and the last one is the count. */
function checkHistogram(family: ParsedFamily): void {
  const groups = new Map<string, ParsedSample[]>()
  for (const sample of family.samples) {
    const { le: _, ...labels } = sample.labels
    const key = JSON.stringify(labels)
    groups.set(key, [...(groups.get(key) ?? []), sample])
  }
  for (const [key, samples] of groups) {
    const buckets = samples.filter(({ name }) => name.endsWith('_bucket'))
    const bounds = buckets.map(({ labels }) => Number(labels['le']?.replace('Inf', 'Infinity')))
    const isRising = buckets.every(
      ({ value }, index) =>
        index === 0 || (value >= buckets[index - 1]!.value && bounds[index]! > bounds[index - 1]!),
    )
    const count = samples.find(({ name }) => name.endsWith('_count'))?.value
    const hasSum = samples.some(({ name }) => name.endsWith('_sum'))
    const isWhole = bounds.at(-1) === Number.POSITIVE_INFINITY && buckets.at(-1)?.value === count
    if (!isRising || !isWhole || !hasSum) throw new Error(`bad histogram ${family.name} ${key}`)
  }
}
