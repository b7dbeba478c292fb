import fc from 'fast-check'
import t from 'tap'
import { crc32c } from '../src/crc32c.ts'
import { MAX_PROXY_HEADER_BYTES, ProxyHeaderParser } from '../src/proxy-header.ts'
import type { ProxyOutcome } from '../src/proxy-outcome.ts'
import { INET, INET6, ssl, tlv, v2 } from './support/proxy-bytes.ts'

interface Read {
  readonly outcome: ProxyOutcome | null
  /** Bytes that the header took; -1 unless it is one. */
  readonly used: number
}

/** Feeds bytes, cut at these places, to where there is an outcome. */
function read(input: string | Uint8Array, cuts: readonly number[] = []): Read {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input
  const parser = new ProxyHeaderParser()
  const places = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])]
  let from = 0
  let used = 0
  for (const to of places.sort((a, b) => a - b)) {
    // Borrowed: overwritten as soon as the call is over.
    const borrowed = Uint8Array.from(bytes.subarray(from, to))
    const count = parser.read(borrowed)
    borrowed.fill(0x21)
    used += count
    if (parser.outcome !== null) break
    from = to
  }
  return { outcome: parser.outcome, used: parser.outcome?.header == null ? -1 : used }
}

const faultOf = (input: string | Uint8Array): string | null | undefined =>
  read(input).outcome?.fault

const sourceOf = (input: string | Uint8Array): unknown => read(input).outcome?.header?.source

const V1 = 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n'
const LONGEST = `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`

t.test('§2.1: TCP4 and TCP6 tell both ends', async (t) => {
  t.same(read(`${V1}GET /`), {
    outcome: {
      header: {
        version: 1,
        source: { address: '192.168.0.1', port: 56_324, family: 'IPv4' },
        destination: { address: '192.168.0.11', port: 443, family: 'IPv4' },
        tls: null,
      },
      fault: null,
    },
    used: V1.length,
  })
  t.match(read('PROXY TCP6 2001:DB8::1 ::1 1 65535\r\n').outcome?.header, {
    source: { address: '2001:db8::1', port: 1, family: 'IPv6' },
    destination: { address: '::1', port: 65_535, family: 'IPv6' },
  })
  const mapped = { address: '192.0.2.1', port: 1, family: 'IPv4' }
  t.same(sourceOf('PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n'), mapped)
})

t.test('§2.1: UNKNOWN is accepted, and what follows it ignored', async (t) => {
  for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN anything  at all\r\n', LONGEST]) {
    t.match(read(line), { outcome: { header: { source: null }, fault: null }, used: line.length })
  }
})

t.test('§2.1: a line ends within 107 bytes', async (t) => {
  t.equal(LONGEST.length, 107)
  t.equal(faultOf(LONGEST), null)
  t.equal(faultOf(LONGEST.replace('\r', '0\r')), 'too-long')
  t.equal(faultOf(`PROXY UNKNOWN ${'x'.repeat(92)}`), undefined, '106 bytes may still end')
  t.equal(faultOf(`PROXY UNKNOWN ${'x'.repeat(93)}`), 'too-long')
  t.equal(faultOf(`PROXY UNKNOWN ${'x'.repeat(92)}\r`), 'too-long', 'a CR has its LF to come')
})

t.test('§2.1: anything that does not match exactly is refused', async (t) => {
  const lines = [
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX',
    'PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n',
    'PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP6 ::1::2 ::1 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY UNKNOWNx\r\n',
    'PROXY \r\n',
    'PROXY TCP4 1.2.3.4\t1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0\r\n',
  ]
  for (const line of lines) t.equal(faultOf(line), 'line', JSON.stringify(line))
})

t.test('§2: what begins as neither version is refused at its first wrong byte', async (t) => {
  for (const text of [
    'GET / HTTP/1.1\r\n',
    'P GET',
    'PROXY\t',
    'proxy ',
    '\r\n\r\nG',
    '\0',
    '\x16',
  ]) {
    t.equal(faultOf(text), 'signature', JSON.stringify(text))
  }
  for (const text of ['', 'P', 'PROXY', '\r\n', '\r\n\r\n\0\r\nQUIT\n']) {
    t.equal(read(text).outcome, null, JSON.stringify(text))
  }
})

t.test('§2.2: TCP and UDP over IPv4 and IPv6 tell both ends', async (t) => {
  for (const family of [0x11, 0x12]) {
    t.match(read(Buffer.concat([v2({ family }), Buffer.from('GET')])), {
      outcome: {
        header: {
          version: 2,
          source: { address: '192.0.2.1', port: 56_324, family: 'IPv4' },
          destination: { address: '198.51.100.2', port: 443, family: 'IPv4' },
          tls: null,
        },
      },
      used: 28,
    })
  }
  for (const family of [0x21, 0x22]) {
    t.match(read(v2({ family, addresses: INET6 })).outcome?.header, {
      source: { address: '2001:db8::1', port: 1, family: 'IPv6' },
      destination: { address: '2001:db8::2', port: 65_535, family: 'IPv6' },
    })
  }
})

t.test('§2.2: a client of a Unix socket has no address', async (t) => {
  const addresses = new Array<number>(216).fill(0x41)
  const unix = { address: '', port: 0, family: 'unix' }
  for (const family of [0x31, 0x32]) {
    t.match(read(v2({ family, addresses })).outcome?.header, { source: unix, destination: unix })
  }
})

t.test(
  '§2.2: LOCAL means the connection itself, whatever else is there, its length skipped',
  async (t) => {
    for (const family of [0x00, 0x11, 0xff]) {
      for (const addresses of [[], INET, [1, 2, 3]]) {
        const bytes = v2({ command: 0x20, family, addresses })
        const expected = { outcome: { header: { source: null, tls: null } }, used: bytes.length }
        t.match(read(Buffer.concat([bytes, Buffer.from('GET')])), expected)
      }
    }
  },
)

t.test('§2.2: so does a family or transport that is not specified', async (t) => {
  for (const family of [0x00, 0x01, 0x02, 0x10, 0x20, 0x30]) {
    for (const addresses of [[], INET]) {
      const bytes = v2({ family, addresses })
      t.match(read(bytes), { outcome: { header: { source: null } }, used: bytes.length })
    }
  }
})

t.test('§2.2: what is not assigned is refused', async (t) => {
  for (const command of [0x11, 0x31, 0x01, 0x22, 0x2f]) {
    t.equal(faultOf(v2({ command })), 'unassigned', command.toString(16))
  }
  for (const family of [0x13, 0x1f, 0x23, 0x33, 0x41, 0xf1, 0xff]) {
    t.equal(faultOf(v2({ family })), 'unassigned', family.toString(16))
  }
})

t.test('§2.2: a length below that of the addresses is a lie', async (t) => {
  const unix = new Array<number>(216).fill(0)
  for (const [family, addresses] of [
    [0x11, INET],
    [0x21, INET6],
    [0x31, unix],
  ] as const) {
    const { length } = addresses
    t.equal(faultOf(v2({ family, addresses, length: length - 1 })), 'length')
    t.equal(faultOf(v2({ family, addresses, length: 0 })), 'length')
    t.equal(faultOf(v2({ family, addresses, length })), null)
    t.equal(faultOf(v2({ family, addresses, length: length + 1 })), undefined, 'one more to come')
  }
})

t.test('the length of a header is bounded before anything is kept for it', async (t) => {
  const most = MAX_PROXY_HEADER_BYTES - 16
  t.equal(faultOf(v2({ length: most })), undefined)
  t.equal(faultOf(v2({ length: most + 1 })), 'too-long')
  t.equal(faultOf(v2({ length: 65_535 })), 'too-long')
  t.equal(faultOf(v2({ command: 0x20, length: 65_535 })), 'too-long')
  const noop = tlv(0x04, new Uint8Array(most - INET.length - 3))
  t.equal(read(v2({ tlvs: [noop] })).used, MAX_PROXY_HEADER_BYTES)
})

t.test(
  '§2.2: extensions that are not known are skipped; those cut short are refused',
  async (t) => {
    const known = [tlv(0x04, 'nothing'), tlv(0x30, 'namespace'), tlv(0xe0, 'own'), tlv(0x05, 'id')]
    t.equal(faultOf(v2({ tlvs: known })), null)
    for (const bad of [
      Uint8Array.of(4),
      Uint8Array.of(4, 0),
      tlv(4, 'abc', 4),
      tlv(4, '', 65_535),
    ]) {
      t.equal(faultOf(v2({ tlvs: [bad] })), 'tlv')
      t.equal(faultOf(v2({ tlvs: [...known, bad] })), 'tlv')
    }
    t.equal(faultOf(v2({ tlvs: [tlv(0x05, 'x'.repeat(128))] })), null, '§2.2.5')
    t.equal(faultOf(v2({ tlvs: [tlv(0x05, 'x'.repeat(129))] })), 'tlv', '§2.2.5')
  },
)

t.test('§2.2.3: a checksum that is there must be right', async (t) => {
  t.equal(crc32c(Buffer.from('123456789'), -4), 0xe306_9283, 'the check value of CRC-32C')
  t.equal(faultOf(v2({ checksum: 'right' })), null)
  t.equal(faultOf(v2({ checksum: 'right', tlvs: [tlv(0x02, 'a.example')] })), null)
  t.equal(faultOf(v2({ checksum: 'wrong' })), 'checksum')
  const changed = v2({ checksum: 'right', tlvs: [tlv(0x02, 'a.example')] })
  const typeAt = 16 + INET.length
  for (let i = 16; i < changed.length; i++) {
    // Of another type, it is no checksum.
    if (i === typeAt) continue
    const bytes = Buffer.from(changed)
    bytes[i]! ^= 1
    t.not(faultOf(bytes), null, `byte ${i}`)
  }
  t.equal(faultOf(v2({ tlvs: [tlv(0x03, 'abc')] })), 'tlv', 'of 4 bytes')
  t.equal(faultOf(v2({ checksum: 'right', tlvs: [tlv(0x03, 'abcd')] })), 'tlv', 'once')
})

t.test('§2.2.1, §2.2.2, §2.2.6: what the proxy tells of TLS', async (t) => {
  const tlvs = [
    tlv(0x01, 'h2'),
    tlv(0x02, 'www.example.org'),
    ssl(0x01, tlv(0x21, 'TLSv1.3'), tlv(0x23, 'TLS_AES_128_GCM_SHA256'), tlv(0x22, 'name')),
  ]
  t.same(read(v2({ tlvs, checksum: 'right' })).outcome?.header?.tls, {
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
    alpnProtocol: 'h2',
    servername: 'www.example.org',
  })
  const bare = { protocol: '', cipher: '', alpnProtocol: null, servername: null }
  t.same(read(v2({ tlvs: [ssl(0x07)] })).outcome?.header?.tls, bare)
  t.equal(read(v2({ tlvs: [ssl(0x06)] })).outcome?.header?.tls, null, 'without PP2_CLIENT_SSL')
  t.equal(read(v2({ tlvs: [tlv(0x02, 'a.example')] })).outcome?.header?.tls, null)
  t.equal(faultOf(v2({ tlvs: [tlv(0x20, '\x01\0\0\0')] })), 'tlv', 'too short')
  t.equal(faultOf(v2({ tlvs: [ssl(0x01, tlv(0x21, 'TLS', 9))] })), 'tlv', 'one within lies')
})

t.test('names in extensions that could forge a line or a URL are left out', async (t) => {
  for (const name of ['a\r\nb', 'a b', 'a\0', 'ä', '\x1b[1m']) {
    const { outcome } = read(v2({ tlvs: [tlv(0x02, name), ssl(1, tlv(0x21, name))] }))
    t.match(outcome?.header?.tls, { servername: null, protocol: '' }, JSON.stringify(name))
  }
})

const samples: readonly Uint8Array[] = [
  Buffer.from(`${V1}GET / HTTP/1.1\r\n`),
  Buffer.from('PROXY UNKNOWN\r\n'),
  Buffer.from(LONGEST),
  Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rX'),
  Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`),
  Buffer.from('PROXX'),
  v2(),
  v2({ family: 0x21, addresses: INET6, checksum: 'right', tlvs: [ssl(1, tlv(0x21, 'TLSv1.2'))] }),
  v2({ checksum: 'wrong' }),
  v2({ length: 3 }),
  v2({ length: 40_000 }),
  v2({ family: 0x99 }),
  v2({ command: 0x20, family: 0x00, addresses: [] }),
  Buffer.concat([v2({ tlvs: [tlv(4, 'x'.repeat(300))] }), Buffer.from('GET / HTTP/1.1\r\n')]),
]

t.test('every split in two, and byte by byte, equals the whole', async (t) => {
  for (const [index, bytes] of samples.entries()) {
    const whole = read(bytes)
    const every = Array.from({ length: bytes.length }, (_, place) => place)
    t.same(read(bytes, every), whole, `sample ${index}, byte by byte`)
    const differing = every.filter(
      (place) => JSON.stringify(read(bytes, [place])) !== JSON.stringify(whole),
    )
    t.same(differing, [], `sample ${index}`)
  }
})

t.test('any bytes, however cut, give a header or a fault and never throw', async (t) => {
  const start = fc.constantFrom(...samples, new Uint8Array(0))
  const edit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
  const edits = fc.array(edit, { maxLength: 4 })
  const cuts = fc.array(fc.nat(400), { maxLength: 5 })
  const rest = fc.uint8Array({ maxLength: 300 })
  let headers = 0
  fc.assert(
    fc.property(start, edits, rest, cuts, (first, changes, tail, places) => {
      const bytes = Buffer.concat([first, tail])
      for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value
      const whole = read(bytes)
      if (whole.outcome?.header != null) headers++
      return JSON.stringify(read(bytes, places)) === JSON.stringify(whole)
    }),
    { numRuns: 3000 },
  )
  t.ok(headers > 100, `${headers} of them were headers`)
})
