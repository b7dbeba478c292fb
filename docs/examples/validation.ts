import { json, text } from '@rr/core'
import { createRouter } from '@rr/router'
import { z } from 'zod'

const app = createRouter()

const User = z.object({ name: z.string().min(1), age: z.number().int().min(0) })

// Any library that follows Standard Schema will do. What does not match is answered 422, as
// application/problem+json with the path of each fault; what does is typed from the schema.
app.post(
  '/users',
  { schema: { body: User, response: User.extend({ id: z.number() }) }, maxBodyBytes: 10_000 },
  (request) => {
    const { name, age } = request.valid.body
    return json({ id: 1, name, age }, { status: 201 })
  },
)

app.get(
  '/users/:id/posts',
  {
    schema: {
      params: z.object({ id: z.coerce.number().int() }),
      query: z.object({ limit: z.coerce.number().int().max(100).default(10) }),
    },
  },
  (request) => {
    const { params, query } = request.valid
    return text(`${query.limit} posts of user ${params.id}`)
  },
)

export default app
