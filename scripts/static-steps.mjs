import { programStep } from './gate-step.mjs'
import { bin, inRoot } from './project-paths.mjs'

const script = (/** @type {string} */ name) => [inRoot('scripts', name)]

// The output is captured, so that the program itself cannot tell whether a terminal shows it.
const colors = process.stdout.isTTY ? 'force' : 'off'

/** What can be said without running the program. Types come first: the others read their result. */
export const staticSteps = [
  programStep('format and lint', bin('biome'), ['ci', `--colors=${colors}`, '.']),
  programStep('build and types of the packages', bin('tsc'), ['-b']),
  programStep('types of tests, examples and scripts', bin('tsc'), ['-p', 'tsconfig.check.json']),
  programStep('layers', bin('node'), script('check-layers.mjs')),
  programStep('lockfile', bin('node'), script('check-lockfile.mjs')),
]

/** What users find in the packed packages; needs the build. */
export const packageStep = programStep('package exports', bin('node'), script('check-exports.mjs'))
