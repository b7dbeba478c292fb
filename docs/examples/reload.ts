import { defineApp } from '@rr/core'

/** What takes long to make and is to outlive a change of the routes: a pool of connections, say. */
export const notes = new Map<string, string>()

// `server.reloadRoutes()` imports the routes anew, in all workers at once. This module stays, and so
// does what setup has made.
export default defineApp({
  routes: new URL('./reload-routes.ts', import.meta.url),
  setup: () => void notes.set('1', 'made by setup'),
  teardown: () => notes.clear(),
})
