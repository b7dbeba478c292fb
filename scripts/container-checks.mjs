import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ContainerRun } from './container-run.mjs'

/**
 * @typedef {object} Checked
 * @property {Omit<import('./container-run.mjs').RunOptions, 'command'>} container
 * @property {string[]} entrypoint
 * @property {string[]} healthcheck
 * @property {string} app the folder of test/fixtures/container-app, outside; it is changed
 */

/**
 * Runs the checks of a container and prints a line for each.
 *
 * @param {Checked} checked
 * @returns {Promise<number>} how many failed
 */
export async function checkContainer(checked) {
  let failed = 0
  for (const [title, check] of Object.entries(CONTAINER_CHECKS)) {
    try {
      const note = await check(checked)
      console.log(`ok      ${title}${note === undefined ? '' : `: ${note}`}`)
    } catch (error) {
      failed++
      console.log(`not ok  ${title}\n${error instanceof Error ? error.stack : error}`)
    }
  }
  return failed
}

/** @type {Record<string, (checked: Checked) => Promise<string | void>>} by what each shows */
export const CONTAINER_CHECKS = {
  'PID 1 is the server, not root, on a root that nothing can be written to': (checked) =>
    withServer(checked, {}, async ({ get }) => {
      const facts = await get('/facts').then((response) => response.json())
      const [uid, gid] = checked.container.user.split(':').map(Number)
      equal(JSON.stringify(facts), JSON.stringify({ pid: 1, uid, gid, writable: [] }))
    }),

  'the health check says that it is ready': (checked) =>
    withServer(checked, {}, async ({ run, port }) => {
      const env = { ...checked.container.env, RR_PORT: String(port) }
      const { status, stdout, stderr } = run.exec(checked.healthcheck, env)
      equal(status, 0, stdout + stderr)
    }),

  'the admin server has its page, and the health check asks it': (checked) =>
    withServer(checked, { RR_ADMIN_PORT: '0' }, async ({ run }) => {
      const [, url, port] = await run.printed(/admin server on (http:\/\/\S+?:(\d+))/)
      const page = await fetch(`${url}/`, { headers: { connection: 'close' } })
      equal(page.status, 200)
      equal(/<title>/.test(await page.text()), true)
      const env = { ...checked.container.env, RR_ADMIN_PORT: port }
      const { status, stdout, stderr } = run.exec(checked.healthcheck, env)
      equal(status, 0, stdout + stderr)
      equal(stdout.includes('/readyz answered 200'), true, stdout)
    }),

  'SIGHUP reloads': (checked) =>
    withServer(checked, {}, async ({ run, get }) => {
      const before = await get('/').then((response) => response.text())
      const after = `${before} changed`
      writeFileSync(join(checked.app, 'answer.ts'), `export const answer = '${after}'\n`)
      run.kill('SIGHUP')
      await run.printed(/"msg":"reloaded in/)
      equal(await get('/').then((response) => response.text()), after)
    }),

  'SIGTERM drains and ends with 0': (checked) =>
    withServer(checked, {}, async ({ run, get }) => {
      const answer = get('/slow').then((response) => response.text())
      await run.printed(/slow request began/)
      run.kill('SIGTERM')
      equal(await answer, 'done')
      equal(await run.exit, 0, run.output)
    }),

  'a handler in an endless loop: gone by the hard deadline, with 4': (checked) =>
    endStuck(checked, '/loop'),

  'a handler in a native call that cannot be ended: gone by the hard deadline, with 4': (checked) =>
    endStuck(checked, '/native'),

  // Node.js waits for the children that it started, and for no others.
  'an orphan that PID 1 adopts stays as a zombie, as the guide says': (checked) =>
    withServer(checked, {}, async ({ get }) => {
      const pid = await get('/orphan').then((response) => response.text())
      let state = ''
      while (state !== 'Z') {
        await delay(20)
        state = await get(`/state/${pid}`).then((response) => response.text())
        if (state === '') throw new Error('it was waited for: the guide says otherwise')
      }
    }),
}

/**
 * @typedef {object} Running
 * @property {ContainerRun} run
 * @property {number} port
 * @property {(path: string) => Promise<Response>} get
 */

/**
 * @param {Checked} checked
 * @param {Record<string, string>} variables
 * @param {(running: Running) => Promise<string | void>} use
 */
async function withServer({ container, entrypoint }, variables, use) {
  const env = {
    ...container.env,
    RR_PORT: '0',
    RR_HOST: '127.0.0.1',
    RR_WORKERS: '2',
    ...variables,
  }
  const run = new ContainerRun({ ...container, env, command: entrypoint })
  try {
    const [, found] = await run.printed(/listening on http:\/\/\S+?:(\d+)/)
    const port = Number(found)
    // A connection of its own for each: none must outlive the server.
    const headers = { connection: 'close' }
    return await use({
      run,
      port,
      get: (path) => fetch(`http://127.0.0.1:${port}${path}`, { headers }),
    })
  } finally {
    run.end()
    await run.exit
  }
}

/**
 * @param {Checked} checked
 * @param {string} path
 */
function endStuck(checked, path) {
  return withServer(checked, { RR_DRAIN_TIMEOUT: '50ms' }, async ({ run, get }) => {
    // It never is answered: the connection is cut.
    get(path).catch(() => {})
    await run.printed(/stuck now/)
    run.kill('SIGTERM')
    equal(await run.exit, 4, run.output)
  })
}

/**
 * @param {unknown} found
 * @param {unknown} wanted
 * @param {string} [context]
 */
function equal(found, wanted, context = '') {
  if (found !== wanted) throw new Error(`found ${found}, wanted ${wanted}\n${context}`)
}
