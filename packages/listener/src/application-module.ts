import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type Application, type RouteTable, RrError, resolveApplication } from '@rr/core'

/** Imports an application's module. */
export async function loadApplication(url: string): Promise<Application> {
  return resolveApplication(await defaultExportOf(url))
}

/** The application with what its routes module exports, where it has one. To be called after its setup. */
export async function withRoutes(application: Application): Promise<Application> {
  const { routesUrl } = application
  if (routesUrl === null) return application
  return { ...application, ...application.resolveRoutes(await defaultExportOf(routesUrl)) }
}

/**
 * Imports the routes of an application anew: its routes module, or the whole module of one that has
 * no life cycle, and so nothing that a second copy would be without.
 *
 * @param version never used before in this thread, also not by an import that failed
 * @throws RrError RR_RELOAD_FAILED for an application that cannot be had twice
 */
export async function loadRoutesAnew(
  application: Application,
  applicationUrl: string | null,
  version: number,
): Promise<RouteTable> {
  const { routesUrl } = application
  if (routesUrl !== null) {
    return application.resolveRoutes(await importAnew(routesUrl, version))
  }
  if (applicationUrl === null) {
    throw routesError('an application without `routes` is reloaded by giving the new one')
  }
  checkNoLifeCycle(application)
  const fresh = resolveApplication(await importAnew(applicationUrl, version))
  checkNoLifeCycle(fresh)
  if (fresh.routesUrl === null) return fresh
  return fresh.resolveRoutes(await importAnew(fresh.routesUrl, version))
}

/** @throws RrError RR_RELOAD_FAILED for one whose new copy would serve without its setup */
export function checkNoLifeCycle(application: Application): void {
  if (!application.hasLifeCycle) return
  throw routesError(
    'a new copy of an application with `setup` or `teardown` would be without them: put the ' +
      'routes into a module of their own and give defineApp its URL as `routes`, not `handler`',
  )
}

export function routesError(why: string, cause?: unknown): RrError {
  const message = `the routes stay as they were: ${why}`
  return new RrError('RR_RELOAD_FAILED', message, cause === undefined ? {} : { cause })
}

/** Why a server that is starting, draining or stopped does not change its routes. */
export function notAcceptingError(status: string): RrError {
  return new RrError(
    'RR_SERVER_STATE',
    `reloadRoutes() is for a server that accepts: it is ${status}`,
  )
}

async function defaultExportOf(url: string): Promise<unknown> {
  const module = (await import(url)) as { default?: unknown }
  return module.default
}

/** Node.js caches modules by URL, query included; CommonJS ones by path. */
async function importAnew(url: string, version: number): Promise<unknown> {
  const fresh = new URL(url)
  if (fresh.protocol !== 'file:') {
    throw routesError(`only a file can be loaded anew, not ${fresh.protocol}`)
  }
  fresh.search += `${fresh.search === '' ? '?' : '&'}rr-routes=${version}`
  const { cache } = createRequire(import.meta.url)
  const path = fileURLToPath(url)
  const cached = cache[path]
  delete cache[path]
  try {
    return await defaultExportOf(fresh.href)
  } catch (error) {
    // Others may require it, and are to get what serves.
    if (cached !== undefined) cache[path] = cached
    throw error
  }
}
