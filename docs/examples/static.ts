import { file, staticFiles } from '@rr/middleware'
import { createRouter } from '@rr/router'

const app = createRouter()
const folder = new URL('./public/', import.meta.url)

// Everything below /assets/ comes from the folder. Names with a hash in them never change.
app.get('/assets/*path', staticFiles(folder, { immutable: /-[0-9a-f]{8}\.\w+$/ }))

// One file, which browsers are to save under another name.
app.get('/report', (request) =>
  file(request, new URL('numbers.csv', folder), {
    disposition: 'attachment',
    fileName: 'Größen.csv',
  }),
)

export default app
