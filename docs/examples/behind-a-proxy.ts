import { type HttpRequest, json, redirect } from '@rr/core'
import { rateLimit } from '@rr/middleware'
import { createRouter } from '@rr/router'

// Behind a proxy on this machine that sets X-Forwarded-For, -Proto and -Host:
//
//   rr-serve --trusted-proxies loopback --forwarded-headers x-forwarded behind-a-proxy.ts
//
// Or one that speaks the PROXY protocol, such as `server rr 127.0.0.1:8080 send-proxy-v2` in HAProxy:
//
//   rr-serve --trusted-proxies loopback --proxy-protocol require behind-a-proxy.ts
//
// The application is the same for both, and for none.
const app = createRouter()

// Counts the client behind the proxy, as the server's own limits and its access log do.
app.use(rateLimit({ limit: 600, windowMs: 60_000, burst: 100 }))

app.get('/client', ({ client, peer, scheme, host }: HttpRequest) =>
  json({ client: client.address, connectedTo: peer.address, scheme, host }),
)

app.get('/account', ({ scheme, host }) =>
  scheme === 'https' ? json({ name: 'Ann' }) : redirect(`https://${host}/account`),
)

export default app
