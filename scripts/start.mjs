// `npm start [-- options] [app]`: installs what is missing, builds, and serves an application.
// Runs on the machine's own Node, from version 20 on; everything it starts runs on the pinned one.

import { exitLike, runChild } from './child-process.mjs'
import { endWithParent } from './parent-watch.mjs'
import { bin, inRoot, toolEnv } from './project-paths.mjs'
import { build, ensureInstalled, SetUpError, say } from './set-up.mjs'

endWithParent()
try {
  await ensureInstalled()
  await build()
} catch (error) {
  if (!(error instanceof SetUpError)) throw error
  say(error.message)
  process.exit(error.exitCode)
}

// rr-serve serves RR_APP when its arguments name no application. That way nothing here has to
// know which options take a value.
const env = { RR_APP: inRoot('docs', 'examples', 'hello.ts'), ...toolEnv() }
// npm runs this in the root of the repository; a path is meant from where npm was called.
const cwd = process.env['INIT_CWD'] ?? process.cwd()
await exitLike(await runChild(bin('rr-serve'), process.argv.slice(2), { cwd, env }))
