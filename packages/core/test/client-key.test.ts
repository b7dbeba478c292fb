import t from 'tap'
import { clientKey } from '../src/client-key.ts'

const v6 = (address: string, bits = 64): string =>
  clientKey({ address, port: 1, family: 'IPv6' }, bits)

t.test('an IPv4 address is itself, also in IPv6 form', async (t) => {
  t.equal(clientKey({ address: '192.0.2.1', port: 1, family: 'IPv4' }, 64), '192.0.2.1')
  t.equal(v6('::ffff:192.0.2.1'), '192.0.2.1')
  t.equal(v6('::FFFF:192.0.2.1'), '192.0.2.1')
})

t.test('an IPv6 address is its prefix, however it is written', async (t) => {
  const key = '2001:db8:1:2:0:0:0:0'
  for (const address of ['2001:db8:1:2::1', '2001:0db8:1:2:ffff:eeee:dddd:cccc']) {
    t.equal(v6(address), key, address)
  }
  t.not(v6('2001:db8:1:3::1'), key)
  t.equal(v6('::1'), '0:0:0:0:0:0:0:0')
  t.equal(v6('fe80::1%eth0'), 'fe80:0:0:0:0:0:0:0')
  t.equal(v6('64:ff9b::192.0.2.33', 128), '64:ff9b:0:0:0:0:c000:221')
})

t.test('the prefix has the length asked for', async (t) => {
  const address = '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'
  t.equal(v6(address, 16), '2001:0:0:0:0:0:0:0')
  t.equal(v6(address, 56), '2001:db8:ffff:ff00:0:0:0:0')
  t.equal(v6(address, 63), '2001:db8:ffff:fffe:0:0:0:0')
  t.equal(v6(address, 65), '2001:db8:ffff:ffff:8000:0:0:0')
  t.equal(v6(address, 128), address)
})

t.test('the peers of a Unix socket are one', async (t) => {
  t.equal(clientKey({ address: '', port: 0, family: 'unix' }, 64), '')
})
