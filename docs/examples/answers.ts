import { bytes, empty, html, json, jsonSerializer, problem, redirect } from '@rr/core'
import { createRouter } from '@rr/router'

interface Note {
  readonly id: number
  readonly title: string
}

const notes = new Map<number, Note>([[1, { id: 1, title: 'Say "hello"' }]])

// For values of one kind. A library compiles such a function from a schema; one written by hand must
// leave strings to JSON.stringify, which escapes them.
const note = jsonSerializer<Note>(
  ({ id, title }) => `{"id":${id},"title":${JSON.stringify(title)}}`,
)

const app = createRouter()

// Sent as it is: escape what comes from users.
app.get('/', () => html('<h1>Notes</h1>'))

app.get('/notes', () => json([...notes.values()]))

// An error with a type of its own and more about it (RFC 9457).
app.get('/notes/:id', ({ params }) => {
  const found = notes.get(Number(params.id))
  if (found !== undefined) return note(found)
  return problem(404, {
    type: 'https://example.com/problems/no-note',
    title: 'No such note',
    id: params.id,
  })
})

// 303: the client is to GET the new note.
app.post('/notes', async (request) => {
  const id = notes.size + 1
  notes.set(id, { id, title: await request.text() })
  return redirect(`/notes/${id}`, 303)
})

// 204, without a body.
app.put('/notes/:id', async (request) => {
  const id = Number(request.params.id)
  if (!notes.has(id)) return problem(404)
  notes.set(id, { id, title: await request.text() })
  return empty()
})

const DOT = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

app.get('/dot.gif', () => bytes(DOT, { headers: { 'content-type': 'image/gif' } }))

export default app
