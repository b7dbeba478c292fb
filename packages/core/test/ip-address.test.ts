import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { formatIpAddress, parseIpAddress } from '../src/ip-address.ts'
import { isNetwork, Networks } from '../src/networks.ts'

const normal = (text: string): string | null => {
  const address = parseIpAddress(text)
  return address === null ? null : formatIpAddress(address)
}

t.test('RFC 5952 §4: an address is written in one way', async (t) => {
  const cases = {
    '2001:0DB8::0001': '2001:db8::1',
    '2001:db8:0:0:0:0:2:1': '2001:db8::2:1',
    '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
    '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
    '0:0:0:0:0:0:0:0': '::',
    '::1': '::1',
    '1::': '1::',
    '::ffff:192.0.2.1': '192.0.2.1',
    '::FFFF:c000:201': '192.0.2.1',
    '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
    '192.0.2.1': '192.0.2.1',
  }
  for (const [text, expected] of Object.entries(cases)) t.equal(normal(text), expected, text)
})

t.test('RFC 3986 §3.2.2, RFC 4291 §2.2: what is no address is none', async (t) => {
  const texts = [
    ...[
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '1.2.3.256',
      '1.2.3.4 ',
      '1.2.3.-4',
      '0x1.2.3.4',
    ],
    ...[':', '1:', ':1', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '12345::', 'g::'],
    ...['1.2.3.4::', '::1.2.3.4:5', '1:2:3:4:5:6:7:1.2.3.4', 'fe80::1%eth0', '[::1]', '::1 '],
    ...['1:2:3:4:5:6:7:8::', '::1:2:3:4:5:6:7:8', `${'0'.repeat(1_000_000)}::`],
  ]
  for (const text of texts) t.equal(parseIpAddress(text), null, text.slice(0, 50))
})

t.test('Node reads the same addresses, of those near to being one', async (t) => {
  const part = fc.constantFrom('0', '1', 'ffff', '255', '256', '01', '::', ':', '.', '1.2.3.4', 'x')
  const text = fc.array(part, { maxLength: 16 }).map((parts) => parts.join(''))
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
  fc.assert(
    fc.property(text, (address) => {
      return (parseIpAddress(address) !== null) === (isIPv4(address) || isIPv6(address))
    }),
    { numRuns: 5000 },
  )
  fc.assert(
    fc.property(groups, (address) => {
      t.same(parseIpAddress(formatIpAddress(address)), address)
    }),
    { numRuns: 100 },
  )
})

t.test('a network holds the addresses of its prefix', async (t) => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      '10.0.0.0/8',
      ['10.0.0.0', '10.255.255.255', '::ffff:10.1.1.1'],
      ['11.0.0.0', '9.255.255.255'],
    ],
    ['192.0.2.128/25', ['192.0.2.128', '192.0.2.255'], ['192.0.2.127', '192.0.3.0']],
    ['192.0.2.7', ['192.0.2.7'], ['192.0.2.6', '192.0.2.8']],
    ['0.0.0.0/0', ['1.2.3.4'], ['::1', '2001:db8::1']],
    ['::/0', ['::1', '2001:db8::1'], ['1.2.3.4', '::ffff:1.2.3.4']],
    ['2001:db8::/32', ['2001:db8:ffff::1'], ['2001:db9::', '10.0.0.1']],
    ['2001:db8::/33', ['2001:db8:7fff::1'], ['2001:db8:8000::']],
    ['::ffff:10.0.0.0/104', ['10.9.9.9'], ['11.0.0.0']],
    ['fe80::/10', ['fe80::1%eth0', 'febf::'], ['fec0::']],
    ['loopback', ['127.0.0.1', '127.255.0.1', '::1'], ['128.0.0.1', '::2', '10.0.0.1']],
    ['private', ['10.1.1.1', '172.31.0.1', '192.168.1.1', 'fd00::1'], ['172.32.0.1', '127.0.0.1']],
  ]
  for (const [network, inside, outside] of cases) {
    t.ok(isNetwork(network), network)
    const networks = new Networks(['198.51.100.1', network])
    for (const address of inside) t.ok(networks.has(address), `${address} in ${network}`)
    for (const address of outside) t.notOk(networks.has(address), `${address} not in ${network}`)
    t.notOk(networks.has(''))
    t.notOk(networks.has('localhost'))
  }
  t.notOk(new Networks([]).has('127.0.0.1'))
})

t.test('RFC 4632 §3.1: what is no network is none', async (t) => {
  const texts = ['', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0.0/', '10.0.0/8', '::/129']
  for (const text of [
    ...texts,
    '10.0.0.0/8/8',
    'localhost',
    'toString',
    '*',
    '10.0.0.0/255.0.0.0',
  ]) {
    t.notOk(isNetwork(text), text)
  }
})
