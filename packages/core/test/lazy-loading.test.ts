import { createRequire } from 'node:module'
import t from 'tap'
import { FORM_DATA, field, multipartBody } from './support/multipart-body.ts'
import { readBody } from './support/read-body.ts'

const { cache } = createRequire(import.meta.url)

function isLoaded(name: string): boolean {
  return Object.keys(cache).some((path) => path.includes(name))
}

t.test('the multipart parser is loaded by the first multipart body, not before', async (t) => {
  await import('../src/index.ts')
  const type = 'application/x-www-form-urlencoded'
  t.equal(await readBody({ body: 'a=1', type }, async (r) => (await r.form()).get('a')), '1')
  t.notOk(isLoaded('@fastify/busboy'))
  const names = await readBody(
    { body: multipartBody([field('a', '1')]), type: FORM_DATA },
    async (request) => {
      const seen: string[] = []
      for await (const part of request.multipart()) seen.push(part.name)
      return seen
    },
  )
  t.same(names, ['a'])
  t.ok(isLoaded('@fastify/busboy'))
})
