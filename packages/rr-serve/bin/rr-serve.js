#!/usr/bin/env node
// Plain JavaScript in old syntax on purpose, without a top-level await: this file must parse and run
// on a Node that is too old for rr, so that such a user reads one clear sentence and not a
// SyntaxError. It is also committed, so that the package manager can link the command before the
// first build.

// Before 24.12 a CommonJS module cannot require an ES module while a load hook is registered.
const MIN_NODE_MAJOR = 24
const MIN_NODE_MINOR = 12
const USAGE_EXIT_CODE = 2

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isTooOld = major < MIN_NODE_MAJOR || (major === MIN_NODE_MAJOR && minor < MIN_NODE_MINOR)

if (isTooOld) {
  console.error(
    `rr-serve needs Node.js ${MIN_NODE_MAJOR}.${MIN_NODE_MINOR} or later; this is Node.js ${process.versions.node} (${process.execPath}).`,
  )
  process.exitCode = USAGE_EXIT_CODE
} else {
  // The signals first: until they are listened to, one ends the process without a drain, or is
  // ignored where the process is PID 1, and the rest takes a while to load.
  import('../dist/server-signals.js').then(({ ServerSignals }) => {
    const signals = new ServerSignals()
    return import('../dist/main.js').then(({ main }) => main(process.argv.slice(2), signals))
  })
}
