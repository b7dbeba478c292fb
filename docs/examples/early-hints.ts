import { setTimeout as sleep } from 'node:timers/promises'
import { html, json } from '@rr/core'
import { createRouter } from '@rr/router'

const app = createRouter()

// 103 (RFC 8297): a browser gets the style while the page is still being made. False where it could
// not be sent, as to HTTP/1.0; the page need not care.
app.get('/', async (request) => {
  request.earlyHints({ link: '</style.css>; rel=preload; as=style' })
  const name = await findName()
  return html(`<link rel="stylesheet" href="/style.css"><h1>Hello, ${name}</h1>`)
})

// Any other interim answer: 102 says that the request is being worked on.
app.post('/reports', async (request) => {
  request.informational(102)
  return json({ author: await findName() }, { status: 201 })
})

/** As slow as a database. */
async function findName(): Promise<string> {
  await sleep(20)
  return 'Ann'
}

export default app
