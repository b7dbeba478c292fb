// Middleware and error handlers around each form of application, in one worker and in several.

import { pathToFileURL } from 'node:url'
import { serve } from '@rr/listener'
import t from 'tap'
import { inRoot } from '../../scripts/project-paths.mjs'

for (const form of ['wrapped-router', 'wrapped-fetch']) {
  for (const workers of [1, 2]) {
    t.test(`${form} in ${workers} workers`, async (t) => {
      const server = await serve(pathToFileURL(inRoot('test', 'fixtures', `${form}.ts`)), {
        host: '127.0.0.1',
        port: 0,
        workers,
      })
      t.teardown(() => server.drain({ timeoutMs: 5000 }))
      const ask = async (path: string): Promise<[number, string | null, string]> => {
        const response = await fetch(server.url + path)
        return [response.status, response.headers.get('x-mark'), await response.text()]
      }
      t.same(await ask('/ok'), [200, '127.0.0.1', 'ok'])
      t.match(await ask('/none'), [404, '127.0.0.1', String], 'answers for nothing are wrapped')
      t.match(await ask('/fails'), [500, '127.0.0.1', /"Internal Server Error"/], 'and for errors')
      t.match(await ask('/refused'), [403, null, /"detail":"handled"/], 'outside of the middleware')
    })
  }
}
