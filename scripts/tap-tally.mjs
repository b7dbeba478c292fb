/**
 * Reads the TAP of one test file and counts its leaves: the assertions, and the tests that have
 * none. A parent's own line counts only when it says more than its children do, such as a failed
 * plan or a timeout.
 */

// A `#` in a name is escaped with a backslash.
const POINT =
  /^(?<indent> *)(?<not>not )?ok\b(?: \d+)?(?: - (?<name>.*?))?(?: (?<!\\)# (?<directive>SKIP|TODO)\b *(?<reason>.*?))?(?: # time=\S+)?(?<opens> \{)?$/i
const SUBTEST = /^(?<indent> *)# Subtest: (?<name>.*)$/
const PLAN = /^1\.\.(?<count>\d+)(?: # (?<reason>.*))?$/
const NO_REASON = 'no reason given'

/**
 * @typedef {object} Scope a test whose lines are being read
 * @property {number} indent
 * @property {string} name
 * @property {number} leaves
 * @property {number} failed
 * @property {boolean} ok
 * @property {string | undefined} skip
 */

export class TapTally {
  passed = 0
  failed = 0
  /** @type {string[]} the tests that did not run, each with its reason */
  skipped = []

  /** @type {Scope[]} */
  #open = []
  /** @type {string | null} the line that ends the diagnostic block being read */
  #diagnosticEnd = null
  /** @type {number | null} */
  #planned = null
  #topLevelPoints = 0

  /** @param {string} line */
  readLine(line) {
    if (this.#diagnosticEnd !== null) {
      if (line === this.#diagnosticEnd) this.#diagnosticEnd = null
      return
    }
    const diagnostic = /^( *)---$/.exec(line)
    if (diagnostic !== null) {
      this.#diagnosticEnd = `${diagnostic[1]}...`
      return
    }
    this.#readResult(line)
  }

  /** @param {string} line */
  #readResult(line) {
    const subtest = SUBTEST.exec(line)?.groups
    if (subtest !== undefined) {
      this.#openScope(subtest.indent, subtest.name)
      return
    }
    const point = POINT.exec(line)?.groups
    if (point !== undefined) {
      this.#readPoint(point)
      return
    }
    const closing = /^( *)\}$/.exec(line)
    const last = this.#open.at(-1)
    if (closing !== null && last !== undefined && last.indent === closing[1]?.length) {
      this.#close(last)
      return
    }
    const plan = PLAN.exec(line)?.groups
    if (plan !== undefined) {
      this.#planned = Number(plan.count)
      if (this.#planned === 0 && plan.reason) this.skipped.push(`all: ${plan.reason}`)
    }
    if (/^ *Bail out!/.test(line)) this.failed += 1
  }

  /**
   * @param {string | undefined} indent
   * @param {string | undefined} name
   */
  #openScope(indent = '', name = '') {
    /** @type {Scope} */
    const scope = { indent: indent.length, name, leaves: 0, failed: 0, ok: true, skip: undefined }
    this.#open.push(scope)
    return scope
  }

  /** @param {Record<string, string | undefined>} point */
  #readPoint(point) {
    const last = this.#open.at(-1)
    const indent = point.indent ?? ''
    const isOwnLine = point.opens === undefined && last?.indent === indent.length
    const scope = isOwnLine ? last : this.#openScope(indent, point.name)
    const directive = point.directive?.toUpperCase()
    // A test that is still to be written may fail.
    scope.ok = point.not === undefined || directive === 'TODO'
    if (directive !== undefined) {
      const reason = point.reason || NO_REASON
      scope.skip = directive === 'TODO' ? `to do: ${reason}` : reason
    }
    if (point.opens === undefined) this.#close(scope)
  }

  /** @param {Scope} scope the innermost open one, whose result is known */
  #close(scope) {
    this.#open.pop()
    if (scope.indent === 0) this.#topLevelPoints += 1
    if (!scope.ok) {
      if (scope.failed === 0) {
        scope.failed = 1
        this.failed += 1
      }
    } else if (scope.skip !== undefined) {
      const path = [...this.#open.map(({ name }) => name), scope.name].join(' > ')
      this.skipped.push(`${path}: ${scope.skip}`)
    } else if (scope.leaves === 0) {
      this.passed += 1
    }
    const parent = this.#open.at(-1)
    if (parent !== undefined) {
      parent.leaves += Math.max(scope.leaves, 1)
      parent.failed += scope.failed
    }
  }

  /**
   * What shows that the output is not that of a whole run with tests; undefined when it is.
   *
   * @returns {string | undefined}
   */
  whyIncomplete() {
    if (this.#open.length > 0) return `the output stops inside "${this.#open[0]?.name}"`
    if (this.#planned === null) return 'the output has no plan'
    if (this.#planned !== this.#topLevelPoints) {
      return `${this.#planned} tests planned, ${this.#topLevelPoints} reported`
    }
    if (this.passed + this.failed + this.skipped.length === 0) return 'no test ran'
    return undefined
  }
}
