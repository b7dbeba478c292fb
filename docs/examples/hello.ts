import { text } from '@rr/core'
import { createRouter } from '@rr/router'

const app = createRouter()

app.get('/', () => text('Hello, World!'))

export default app
