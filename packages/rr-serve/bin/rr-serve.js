#!/usr/bin/env node
// Plain JavaScript in old syntax on purpose: this file must parse and run on a Node that is too
// old for rr, so that such a user reads one clear sentence and not a SyntaxError. It is also
// committed, so that the package manager can link the command before the first build.

const MIN_NODE_MAJOR = 24
const USAGE_EXIT_CODE = 2

if (Number(process.versions.node.split('.')[0]) < MIN_NODE_MAJOR) {
  console.error(
    `rr-serve needs Node.js ${MIN_NODE_MAJOR} or later; this is Node.js ${process.versions.node} (${process.execPath}).`,
  )
  process.exitCode = USAGE_EXIT_CODE
} else {
  const { main } = await import('../dist/main.js')
  await main(process.argv.slice(2))
}
