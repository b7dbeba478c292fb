import { createHash } from 'node:crypto'
import { HttpError, json, text } from '@rr/core'
import { createRouter } from '@rr/router'

const app = createRouter()

// A form as a browser sends it: names and values, read whole.
app.post('/login', async (request) => {
  const form = await request.form({ maxFields: 10 })
  const email = form.get('email')
  if (email === null) throw new HttpError(422, 'email is missing')
  return text(`hello ${email}`)
})

// Files as they arrive: nothing is kept, and a client that is faster than the hash waits.
app.post('/digests', async (request) => {
  const digests: Record<string, string> = {}
  for await (const part of request.multipart({ maxFiles: 10 })) {
    if (part.filename === null) continue
    const hash = createHash('sha256')
    for await (const chunk of part) hash.update(chunk)
    digests[part.filename] = hash.digest('hex')
  }
  return json(digests)
})

// Files in temporary files, which are gone once the answer is sent. `saveTo(path)` keeps one.
app.post('/photos', async (request) => {
  const { fields, files } = await request.multipartForm({ maxFileBytes: 500_000 })
  const photos = files.map(({ filename, contentType, size }) => ({ filename, contentType, size }))
  return json({ title: fields.get('title'), photos }, { status: 201 })
})

export default app
