import fc from 'fast-check'
import t from 'tap'
import type { HttpRequest } from '../src/request.ts'
import { text } from '../src/response.ts'
import { Conversation, type ConversationOptions } from './support/conversation.ts'

type Limits = NonNullable<ConversationOptions['limits']>

interface Told {
  readonly client: string
  readonly port: number
  readonly scheme: string
  readonly host: string
}

/** What a request with these header lines says of its client. */
async function told(lines: readonly string[], limits: Limits, peer = '10.0.0.1'): Promise<Told> {
  let found: Told | null = null
  const read = ({ client, scheme, host }: HttpRequest): void => {
    found = { client: client.address, port: client.port, scheme, host }
  }
  const conversation = new Conversation({
    limits: { maxHeaderLineBytes: 65_536, maxHeaderBlockBytes: 1_048_576, ...limits },
    handler: (request) => {
      read(request)
      return text('ok')
    },
  })
  conversation.transport.peer = { address: peer, port: 9999, family: 'IPv4' }
  const head = ['GET / HTTP/1.1', 'Host: own.example', ...lines]
  await conversation.send(`${head.join('\r\n')}\r\n\r\n`).settle()
  t.same(conversation.errors, [])
  return found ?? { client: 'refused', port: -1, scheme: '', host: '' }
}

const trustedProxies = ['10.0.0.0/8', '2001:db8:f::/48']
const FORWARDED: Limits = { trustedProxies, forwardedHeaders: 'forwarded' }
const X_FORWARDED: Limits = { trustedProxies, forwardedHeaders: 'x-forwarded' }

const forwarded = (value: string): Promise<Told> => told([`Forwarded: ${value}`], FORWARDED)
const xForwarded = (value: string): Promise<Told> =>
  told([`X-Forwarded-For: ${value}`], X_FORWARDED)

t.test('§4: parameters in any case and order, values as tokens or quoted', async (t) => {
  const whole = { client: '192.0.2.60', port: 0, scheme: 'https', host: 'example.com:8443' }
  t.same(
    await forwarded('for=192.0.2.60;proto=https;host="example.com:8443";by=203.0.113.43'),
    whole,
  )
  t.same(await forwarded('HOST="example.com:8443";Proto=HTTPS;FOR="192.0.2.60"'), whole)
  t.same(await forwarded('for="\\1\\92.0.2.60";proto=https;host="example.com\\:8443"'), whole)
  t.same(await forwarded(';for=192.0.2.60;;proto=https;host="example.com:8443";'), whole)
  t.match(await forwarded('for=192.0.2.60;secret="a,b;c=\\"d\\", for=10.9.9.9"'), {
    client: '192.0.2.60',
  })
})

t.test('§4: the list is read from the right over trusted proxies', async (t) => {
  t.match(await forwarded('for=192.0.2.43, for=198.51.100.17'), { client: '198.51.100.17' })
  t.match(await forwarded('for=192.0.2.43, for=198.51.100.17, for=10.0.0.2'), {
    client: '198.51.100.17',
  })
  t.match(
    await forwarded('for=10.0.0.3,for=10.0.0.2'),
    { client: '10.0.0.3' },
    'all of them trusted',
  )
  t.match(await forwarded('for=192.0.2.43, ,, for=10.0.0.2,'), { client: '192.0.2.43' })
  const lines = ['Forwarded: for=192.0.2.43', 'Forwarded: for=10.0.0.2']
  t.match(await told(lines, FORWARDED), { client: '192.0.2.43' }, 'fields of the same name')
})

t.test('§4: scheme and host come from where the client does', async (t) => {
  const edge = 'for=192.0.2.1;proto=https;host=shop.example'
  t.match(await forwarded(`${edge}, for=10.0.0.2;proto=http;host=inner`), {
    client: '192.0.2.1',
    scheme: 'https',
    host: 'shop.example',
  })
  t.match(await forwarded(`for=1.1.1.1;proto=https;host=evil, for=192.0.2.1`), {
    client: '192.0.2.1',
    scheme: 'http',
    host: 'own.example',
  })
  t.match(await forwarded('for=192.0.2.1, for=10.0.0.2;proto=https'), { scheme: 'https' })
})

t.test('§4: a malformed element, or a name in it twice, is not believed', async (t) => {
  const bad = [
    'for=192.0.2.1;for=192.0.2.2',
    'for=192.0.2.1;proto=https;PROTO=https',
    'for =192.0.2.1',
    'for= 192.0.2.1',
    'for=192.0.2.1 ; proto=https',
    'for=192.0.2.1; proto=https',
    'for',
    'for=',
    '=192.0.2.1',
    'for="192.0.2.1',
    'for=192.0.2.1"',
    'for=192.0.2.1 proto=https',
    'for=[2001:db8::1]',
    '"for=192.0.2.1"',
    `for=192.0.2.1;x=${'y'.repeat(4096)}`,
  ]
  for (const element of bad) {
    const peer = { client: '10.0.0.1', scheme: 'http' }
    t.match(await forwarded(element), peer, element.slice(0, 40))
    // What a client sends does not harm what its proxy adds.
    t.match(await forwarded(`${element}, for=198.51.100.1`), { client: '198.51.100.1' }, element)
    const furthest = { client: '10.0.0.2' }
    t.match(await forwarded(`for=9.9.9.9, ${element}, for=10.0.0.2`), furthest, element)
  }
})

t.test('§5.2, §6: addresses with and without ports', async (t) => {
  const nodes: readonly (readonly [string, string, number])[] = [
    ['192.0.2.1', '192.0.2.1', 0],
    ['"192.0.2.1:47011"', '192.0.2.1', 47_011],
    ['"[2001:db8:cafe::17]"', '2001:db8:cafe::17', 0],
    ['"[2001:DB8:CAFE::17]:4711"', '2001:db8:cafe::17', 4711],
    ['"[::ffff:192.0.2.1]:1"', '192.0.2.1', 1],
    ['"192.0.2.1:_port"', '192.0.2.1', 0],
  ]
  for (const [node, client, port] of nodes) {
    t.match(await forwarded(`for=${node}`), { client, port }, node)
  }
})

t.test(
  '§6.2, §6.3: unknown and obfuscated identifiers are no address, and end the walk',
  async (t) => {
    const hidden = ['unknown', 'Unknown', '_hidden', '_SEVKISEK', '"_gazonk:80"', '"unknown:80"']
    const wrong = ['"2001:db8::1"', '192.0.2.256', 'localhost', '"192.0.2.1:99999"', '"192.0.2.1:"']
    for (const node of [...hidden, ...wrong, '"[192.0.2.1]"', '"[::1%eth0]"', '192.0.2.01', '""']) {
      t.match(await forwarded(`for=9.9.9.9, for=${node};proto=https`), {
        client: '10.0.0.1',
        scheme: 'https',
      })
      t.match(await forwarded(`for=9.9.9.9, for=${node}, for=10.0.0.2`), { client: '10.0.0.2' })
    }
  },
)

t.test('§5.3, §5.4: host and scheme are what they may be, or not believed', async (t) => {
  for (const proto of ['ftp', 'javascript', 'https:', '"https://evil"']) {
    t.match(await forwarded(`for=192.0.2.1;proto=${proto}`), { scheme: 'http' }, proto)
  }
  for (const host of ['"a b"', '"a/b"', '"u@h"', '"a\\"b"', '""', '":80"', '"a:99999"', '"a?b"']) {
    t.match(await forwarded(`for=192.0.2.1;host=${host}`), { host: 'own.example' }, host)
  }
  t.match(await forwarded('for=192.0.2.1;host="[2001:db8::1]:80"'), { host: '[2001:db8::1]:80' })
})

t.test('X-Forwarded-For is read from the right over trusted proxies', async (t) => {
  t.match(await xForwarded('1.1.1.1, 198.51.100.1'), { client: '198.51.100.1' })
  t.match(await xForwarded('198.51.100.1,10.0.0.2 ,\t2001:db8:f::1'), { client: '198.51.100.1' })
  t.match(await xForwarded('10.0.0.3, 10.0.0.2'), { client: '10.0.0.3' })
  t.match(await xForwarded('2001:DB8::1'), { client: '2001:db8::1', port: 0 })
  t.match(await xForwarded('[2001:db8::1]:80'), { client: '2001:db8::1', port: 80 })
  t.match(await xForwarded('192.0.2.1:80'), { client: '192.0.2.1', port: 80 })
  for (const node of ['unknown', '"192.0.2.1"', '192.0.2.1 x', '', '1.2.3', '192.0.2.1\xa0']) {
    t.match(await xForwarded(`9.9.9.9, ${node}`), { client: node === '' ? '9.9.9.9' : '10.0.0.1' })
  }
})

t.test('X-Forwarded-Proto and -Host count from the right with it', async (t) => {
  const ask = (nodes: string, protos: string, hosts: string): Promise<Told> =>
    told(
      [`X-Forwarded-For: ${nodes}`, `X-Forwarded-Proto: ${protos}`, `X-Forwarded-Host: ${hosts}`],
      X_FORWARDED,
    )
  const shop = { scheme: 'https', host: 'shop.example' }
  t.match(await ask('192.0.2.1', 'https', 'shop.example'), shop)
  t.match(await ask('192.0.2.1, 10.0.0.2', 'https', 'shop.example'), shop, 'one for all')
  t.match(await ask('192.0.2.1, 10.0.0.2', 'https, http', 'shop.example, inner'), shop)
  t.match(await ask('192.0.2.1', 'http, https', 'evil.example, shop.example'), shop, "client's own")
  t.match(await ask('unknown', 'https', 'shop.example'), { ...shop, client: '10.0.0.1' })
  t.match(await told(['X-Forwarded-Proto: https'], X_FORWARDED), { scheme: 'https' }, 'alone')
  t.match(await ask('192.0.2.1', 'gopher', 'a b'), { scheme: 'http', host: 'own.example' })
})

t.test('nobody but trusted proxies is believed', async (t) => {
  const lines = [
    'Forwarded: for=10.0.0.9;proto=https;host=evil.example',
    'X-Forwarded-For: 10.0.0.9',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil.example',
  ]
  for (const limits of [FORWARDED, X_FORWARDED]) {
    for (const peer of ['192.0.2.66', '11.0.0.1', '', '2001:db8::1']) {
      const own = { client: peer, port: 9999, scheme: 'http', host: 'own.example' }
      t.same(await told(lines, limits, peer), own, `from ${peer}`)
    }
  }
  for (const limits of [{}, { trustedProxies }]) {
    t.match(await told(lines, limits), { client: '10.0.0.1', host: 'own.example' }, 'by default')
  }
})

t.test('the header that the proxy does not set is not believed', async (t) => {
  const lines = ['Forwarded: for=1.1.1.1;host=a.example', 'X-Forwarded-For: 2.2.2.2']
  t.match(await told(lines, FORWARDED), { client: '1.1.1.1', host: 'a.example' })
  t.match(await told(lines, X_FORWARDED), { client: '2.2.2.2', host: 'own.example' })
  t.match(await told(['X-Forwarded-For: 2.2.2.2'], FORWARDED), { client: '10.0.0.1' })
})

t.test('a quote that a client leaves open swallows nothing of what its proxy adds', async (t) => {
  for (const start of ['for="', 'for="1.1.1.1', 'x="\\', 'x="a\\"', '"', '\\"', 'for="a";x="']) {
    const end = 'for="[2001:db8::7]";proto=https;by="a,b"'
    t.match(await forwarded(`${start}, ${end}`), { client: '2001:db8::7', scheme: 'https' }, start)
  }
})

t.test('a forwarded host cannot break out of a URL', async (t) => {
  const hosts = [
    'a/../b',
    'a#b',
    'a?b',
    'a\\b',
    'evil@own.example',
    'a%zz',
    '<script>',
    'a:b',
    'a\tb',
  ]
  for (const host of hosts) {
    const lines = ['X-Forwarded-For: 192.0.2.1', `X-Forwarded-Host: ${host}`]
    t.match(await told(lines, X_FORWARDED), { host: 'own.example' }, host)
  }
})

t.test('a megabyte of hops costs no more than the bound on them', async (t) => {
  const line = `X-Forwarded-For: ${'10.0.0.7,'.repeat(7000)}10.0.0.7`
  t.match(await told(new Array<string>(16).fill(line), X_FORWARDED), { client: '10.0.0.7' })
  const quoted = `Forwarded: ${'for="\\"\\",'.repeat(6000)}for=10.0.0.7`
  t.match(await told(new Array<string>(15).fill(quoted), FORWARDED), { client: '10.0.0.7' })
  const hops = (count: number): string =>
    `9.9.9.9, ${new Array<string>(count).fill('10.0.0.2').join()}`
  t.match(await xForwarded(hops(63)), { client: '9.9.9.9' })
  t.match(await xForwarded(hops(64)), { client: '10.0.0.2' }, 'past 64 hops nothing is believed')
})

t.test('whatever a header says, it is read, and the client is an address', async (t) => {
  const part = fc.constantFrom(
    ...['for=', 'proto=https', 'host=', '192.0.2.1', '10.0.0.2', '"', '\\', ';', ',', ' ', '[::1]'],
    ...['unknown', '_x', ':80', '=', '\t', '\xff', 'a'],
  )
  const value = fc.array(part, { maxLength: 20 }).map((parts) => parts.join(''))
  let count = 0
  await fc.assert(
    fc.asyncProperty(value, async (header) => {
      count++
      for (const facts of [await forwarded(header), await xForwarded(header)]) {
        if (!/^[\da-f.:]+$/.test(facts.client) || !/^https?$/.test(facts.scheme)) return false
      }
      // What is added by the proxy is found whatever stands before it.
      return (await forwarded(`${header},for=198.51.100.9`)).client === '198.51.100.9'
    }),
    { numRuns: 500 },
  )
  t.ok(count >= 500)
})

t.test('a web-standard request has the URL that the client asked for', async (t) => {
  let seen: string | null = null
  const conversation = new Conversation({
    limits: FORWARDED,
    handler: async (request) => {
      const { toWebRequest } = await import('../src/web-request.ts')
      seen = toWebRequest(request).url
      return text('ok')
    },
  })
  conversation.transport.peer = { address: '10.0.0.1', port: 9999, family: 'IPv4' }
  const line = 'Forwarded: for=192.0.2.1;proto=https;host=shop.example'
  await conversation.send(`GET /a?b HTTP/1.1\r\nHost: inner\r\n${line}\r\n\r\n`).settle()
  t.equal(seen, 'https://shop.example/a?b')
})
