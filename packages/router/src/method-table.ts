/** Stands for every method. `on` refuses it, although it would be a token. */
export const ANY_METHOD = '*'

/** The usual methods, in the order in which Allow lists them. */
export const COMMON_METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]

/** What answers the methods of one pattern. HEAD falls to GET, then everything to ANY_METHOD. */
export class MethodTable<Value> {
  /** What answers GET: a field of its own, since most requests look for it. */
  readonly get: Value | undefined
  readonly #any: Value | undefined
  readonly #values: Map<string, Value>

  constructor(values: ReadonlyMap<string, Value>) {
    this.#values = new Map(values)
    this.#any = values.get(ANY_METHOD)
    this.#values.delete(ANY_METHOD)
    const get = values.get('GET')
    if (get !== undefined && !values.has('HEAD')) this.#values.set('HEAD', get)
    this.get = get ?? this.#any
  }

  pick(method: string): Value | undefined {
    return method === 'GET' ? this.get : (this.#values.get(method) ?? this.#any)
  }

  /** What answers GET, else what was added first. */
  get first(): Value | undefined {
    return this.get ?? this.#values.values().next().value
  }

  /** True when every method has an answer. */
  get takesAny(): boolean {
    return this.#any !== undefined
  }

  /** The methods named, HEAD included where GET is. */
  methods(): Iterable<string> {
    return this.#values.keys()
  }
}

/** An Allow value (RFC 9110 §10.2.1): common methods in their usual order, then the rest sorted. */
export function allowValue(methods: ReadonlySet<string>): string {
  const rest = [...methods].filter((method) => !COMMON_METHODS.includes(method)).sort()
  return [...COMMON_METHODS.filter((method) => methods.has(method)), ...rest].join(', ')
}
