import {
  type Application,
  type DefinedApplication,
  isDefinedApplication,
  type RouteTable,
  RrError,
  resolveApplication,
} from '@rr/core'
import { loadRoutesAnew, routesError } from './application-module.ts'
import type { RoutesHolder } from './worker-routes.ts'

/** Modules are cached for the thread, so that versions are counted over all its servers. */
let lastVersion = 0

/** The routes of a server in the calling thread, changed one after the other. */
export class RouteChange {
  #application: Application
  readonly #holder: RoutesHolder
  #last: Promise<void> = Promise.resolve()

  constructor(application: Application, holder: RoutesHolder) {
    this.#application = application
    this.#holder = holder
  }

  /**
   * @param app the application or its routes; undefined for those of its module, anew
   * @param check throws when the server's state allows no change
   */
  change(app: unknown, check: () => void): Promise<void> {
    const change = this.#last.then(async () => {
      check()
      const isDefined = isDefinedApplication(app)
      const application = isDefined ? resolveNext(app) : this.#application
      let routes: RouteTable = application
      if (app === undefined || (isDefined && application.routesUrl !== null)) {
        routes = await loadAnew(application)
      } else if (!isDefined) {
        routes = application.resolveRoutes(app)
      }
      check()
      this.#application = application
      this.#holder.replaceRoutes(routes)
    })
    this.#last = change.catch(() => {})
    return change
  }
}

/** @throws RrError RR_RELOAD_FAILED for one whose setup would have to run */
function resolveNext(app: DefinedApplication): Application {
  const application = resolveApplication(app)
  if (!application.hasLifeCycle) return application
  throw routesError('the setup and teardown of another application would not run')
}

async function loadAnew(application: Application): Promise<RouteTable> {
  lastVersion++
  try {
    return await loadRoutesAnew(application, null, lastVersion)
  } catch (error) {
    if (error instanceof RrError && error.code === 'RR_RELOAD_FAILED') throw error
    const message = error instanceof Error ? error.message : String(error)
    throw routesError(`could not load ${application.routesUrl}: ${message}`, error)
  }
}
