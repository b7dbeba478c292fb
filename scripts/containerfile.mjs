// Reads a Containerfile: what its test judges and what container-test.mjs carries out.

/**
 * @typedef {object} Instruction
 * @property {number} line of the file, from 1
 * @property {string} name in capitals
 * @property {string[]} flags such as `--from=build`
 * @property {string} text what follows the flags, as it stands there, lines joined
 * @property {string[] | null} list the arguments, where they are written as a JSON list
 */

/**
 * @typedef {object} Stage
 * @property {string} base
 * @property {string | null} name
 * @property {Instruction[]} instructions without FROM
 */

/**
 * Of the format no more is known than the file uses: no heredocs, no ARG, no escape directive.
 *
 * @param {string} text
 * @returns {Instruction[]}
 */
export function parseContainerfile(text) {
  /** @type {Instruction[]} */
  const instructions = []
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1
    let joined = lines[index] ?? ''
    if (/^\s*(#|$)/.test(joined)) continue
    while (joined.endsWith('\\')) joined = joined.slice(0, -1) + (lines[++index] ?? '')
    instructions.push(parseInstruction(joined.trim(), line))
  }
  return instructions
}

/**
 * @param {string} text
 * @param {number} line
 * @returns {Instruction}
 */
function parseInstruction(text, line) {
  const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/s.exec(text) ?? []
  if (name === '') throw new Error(`line ${line} is no instruction: ${text}`)
  const flags = /^(?:--\S+\s+)*/.exec(rest)?.[0] ?? ''
  const body = rest.slice(flags.length)
  return {
    line,
    name,
    flags: flags.split(/\s+/).filter((flag) => flag !== ''),
    text: body,
    list: parseList(body.replace(/^CMD\s+/, '')),
  }
}

/**
 * @param {string} text
 * @returns {string[] | null}
 */
function parseList(text) {
  if (!text.startsWith('[')) return null
  try {
    const list = JSON.parse(text)
    return Array.isArray(list) && list.every((entry) => typeof entry === 'string') ? list : null
  } catch {
    return null
  }
}

/**
 * @param {Instruction[]} instructions
 * @returns {Stage[]} the last is the image
 */
export function stagesOf(instructions) {
  /** @type {Stage[]} */
  const stages = []
  for (const instruction of instructions) {
    if (instruction.name === 'FROM') {
      const [base = '', , name = null] = instruction.text.split(/\s+/)
      stages.push({ base, name, instructions: [] })
      continue
    }
    const stage = stages.at(-1)
    if (stage === undefined) throw new Error(`${instruction.name} before the first FROM`)
    stage.instructions.push(instruction)
  }
  return stages
}

/**
 * The parts of a COPY: what, whereto, and from which stage (null for the folder of the build).
 *
 * @param {Instruction} instruction
 */
export function copyParts({ flags, text }) {
  const paths = text.split(/\s+/)
  const from = flags.find((flag) => flag.startsWith('--from='))?.slice('--from='.length) ?? null
  return { sources: paths.slice(0, -1), target: paths.at(-1) ?? '', from }
}

/**
 * The variables of an ENV, `name=value` each.
 *
 * @param {Instruction} instruction
 * @returns {[name: string, value: string][]}
 */
export function envPairs({ text }) {
  return [...text.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, name = '', value = '']) => [
    name,
    value.replaceAll('"', ''),
  ])
}
