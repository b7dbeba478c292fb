import { METRICS, type MetricName } from './metric-table.ts'

/**
 * Writes metrics as text: in the Prometheus text format 0.0.4, or as OpenMetrics 1.0, which differs
 * in the names that families of counters have, in how bounds are written, and in its end mark.
 */
export type ExpositionFormat = 'prometheus' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

export type Labels = Readonly<Record<string, string | number>>

/** Collects the samples of the metrics in the table, and writes those that have any. */
export class Exposition {
  readonly #format: ExpositionFormat
  readonly #samples: Map<MetricName, string[]> = new Map()

  constructor(format: ExpositionFormat) {
    this.#format = format
  }

  add(name: MetricName, labels: Labels, value: number): void {
    this.#write(name, `${name}${labelText(labels)} ${numberText(value)}`)
  }

  /**
   * @param bounds upper bounds, rising
   * @param counts how many fell into the cell of each bound, and above the last
   */
  addHistogram(
    name: MetricName,
    labels: Labels,
    bounds: readonly number[],
    counts: ArrayLike<number>,
    sum: number,
  ): void {
    let total = 0
    for (const [cell, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
      total += counts[cell] ?? 0
      const le = this.#boundText(bound)
      this.#write(name, `${name}_bucket${labelText({ ...labels, le })} ${numberText(total)}`)
    }
    const text = labelText(labels)
    this.#write(name, `${name}_sum${text} ${numberText(sum)}`)
    this.#write(name, `${name}_count${text} ${numberText(total)}`)
  }

  toString(): string {
    let text = ''
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const samples = this.#samples.get(name)
      if (samples === undefined) continue
      const { type, help } = METRICS[name]
      const family = this.#familyOf(name)
      text += `# HELP ${family} ${this.#helpText(help)}\n# TYPE ${family} ${this.#typeOf(type)}\n`
      text += `${samples.join('\n')}\n`
    }
    return this.#format === 'openmetrics' ? `${text}# EOF\n` : text
  }

  #write(name: MetricName, line: string): void {
    const lines = this.#samples.get(name)
    if (lines === undefined) this.#samples.set(name, [line])
    else lines.push(line)
  }

  #familyOf(name: MetricName): string {
    return this.#format === 'openmetrics' ? name.replace(/_(?:total|info)$/, '') : name
  }

  #typeOf(type: string): string {
    return type === 'info' && this.#format === 'prometheus' ? 'gauge' : type
  }

  #helpText(help: string): string {
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
    return this.#format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped
  }

  /** OpenMetrics wants a bound to look like a float: `1.0`. */
  #boundText(bound: number): string {
    const text = numberText(bound)
    return this.#format === 'openmetrics' && /^\d+$/.test(text) ? `${text}.0` : text
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels)
  if (pairs.length === 0) return ''
  return `{${pairs.map(([name, value]) => `${name}="${escapeLabel(String(value))}"`).join(',')}}`
}

/** What a label's value must not have as it is: the backslash, the quote and the end of the line. */
export function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
