/** How soon a lost parent is noticed. */
const INTERVAL_MS = 500

/**
 * Sends this process SIGTERM when npm, which started it, is gone. npm passes SIGINT and SIGTERM
 * on, but nothing else, and not when it is killed: the server would stay behind with its port,
 * where the next one could listen beside it and get only a part of the connections.
 */
export function endWithParent() {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, INTERVAL_MS)
  timer.unref()
}
