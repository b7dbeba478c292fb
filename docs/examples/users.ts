import { HttpError, json, text } from '@rr/core'
import { createRouter } from '@rr/router'

interface User {
  readonly id: string
  readonly name: string
}

const users = new Map<string, User>([['1', { id: '1', name: 'Alice' }]])

const app = createRouter()

app.get('/health', () => text('ok'))

app.group('/users', (group) => {
  // `request.params.id` is typed by the pattern: any other name does not compile.
  group.get('/:id', (request) => {
    const user = users.get(request.params.id)
    if (user === undefined) throw new HttpError(404, 'no such user')
    return json(user)
  })

  group.post('/', async (request) => {
    const { name } = await request.json<{ name?: unknown }>()
    if (typeof name !== 'string') throw new HttpError(422, 'name is a string')
    const user = { id: String(users.size + 1), name }
    users.set(user.id, user)
    return json(user, { status: 201, headers: { location: `/users/${user.id}` } })
  })
})

export default app
