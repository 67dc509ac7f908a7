import { type ClientAddressVector, vectors } from './vector.ts'

const EVERY_HEADER = {
  'x-forwarded-for': '203.0.113.9',
  forwarded: 'for=203.0.113.9',
  'x-real-ip': '203.0.113.9',
  'x-client-ip': '203.0.113.9',
  'cf-connecting-ip': '203.0.113.9',
  'true-client-ip': '203.0.113.9',
  'fastly-client-ip': '203.0.113.9',
  'fly-client-ip': '203.0.113.9',
  'x-cluster-client-ip': '203.0.113.9',
  'x-original-forwarded-for': '203.0.113.9',
  'x-azure-socketip': '203.0.113.9',
}

/** Nothing configured: the socket, whatever the headers say; and how a peer's text is read. */
export const socketVectors: readonly ClientAddressVector[] = [
  ...vectors('socket only', { options: {} }, [
    ['no header', [], { ip: '127.0.0.1', key: '127.0.0.1', rule: 'socket' }],
    ['every known header is ignored', EVERY_HEADER, { ip: '127.0.0.1', rule: 'socket' }],
    ['x-forwarded-for is ignored', '203.0.113.9', '127.0.0.1'],
    ['garbage in a header changes nothing', '!!!', '127.0.0.1'],
  ]),
  ...vectors('peer text', { options: {} }, [
    ['IPv4', [], '198.51.100.7', { peer: '198.51.100.7' }],
    [
      'IPv4-mapped, as a dual-stack listener gives it',
      [],
      { ip: '198.51.100.7', key: '198.51.100.7' },
      { peer: '::ffff:198.51.100.7' },
    ],
    ['IPv4-mapped in hex', [], '127.0.0.1', { peer: '::ffff:7f00:1' }],
    ['IPv4-mapped, written out', [], '188.21.0.6', { peer: '0:0:0:0:0:ffff:bc15:0006' }],
    ['IPv6', [], { ip: '2001:db8:1:2::5', key: '2001:db8:1:2::/64' }, { peer: '2001:db8:1:2::5' }],
    ['IPv6 is written as RFC 5952 says', [], '2001:db8::1', { peer: '2001:0DB8:0:0:0:0:0:1' }],
    ['IPv6 loopback keeps its own key', [], { ip: '::1', key: '::1' }, { peer: '::1' }],
    [
      'a link-local zone is dropped, and the key is the address',
      [],
      { ip: 'fe80::1', key: 'fe80::1' },
      { peer: 'fe80::1%eth0' },
    ],
    ['a zone elsewhere is no address', [], null, { peer: '2001:db8::1%eth0' }],
    ['with a port', [], '198.51.100.7', { peer: '198.51.100.7:4711' }],
    ['IPv6 with brackets and a port', [], '2001:db8::1', { peer: '[2001:db8::1]:4711' }],
    ['NAT64 stays IPv6', [], '64:ff9b::bc00:280', { peer: '64:ff9b::188.0.2.128' }],
    ['6to4 stays IPv6', [], '2002:c000:204::', { peer: '2002:c000:204::' }],
    ['not known', [], null, { peer: null }],
    ['empty', [], null, { peer: '' }],
    ['a unix-domain socket has no address', [], null, { peer: 'unix' }],
    ['text', [], null, { peer: 'localhost' }],
    ['0.0.0.0', [], null, { peer: '0.0.0.0' }],
    ['::', [], null, { peer: '::' }],
    ['leading zeros are octal elsewhere', [], null, { peer: '010.0.0.1' }],
    ['a short form', [], null, { peer: '127.1' }],
  ]),
  ...vectors('IPv6 key', { options: {}, peer: '2001:db8:1:2:3:4:5:6' }, [
    ['/64 by default', [], { ip: '2001:db8:1:2:3:4:5:6', key: '2001:db8:1:2::/64' }],
    ['/56', [], { ip: '2001:db8:1:2:3:4:5:6', key: '2001:db8:1::/56' }, { ipv6Prefix: 56 }],
    ['/48', [], { ip: '2001:db8:1:2:3:4:5:6', key: '2001:db8:1::/48' }, { ipv6Prefix: 48 }],
    ['/32', [], { ip: '2001:db8:1:2:3:4:5:6', key: '2001:db8::/32' }, { ipv6Prefix: 32 }],
    ['/128 is the address', [], { ip: '2001:db8:1:2:3:4:5:6', key: '2001:db8:1:2:3:4:5:6' }, { ipv6Prefix: 128 }],
    [
      'an IPv4 client is never masked',
      [],
      { ip: '198.51.100.7', key: '198.51.100.7' },
      { ipv6Prefix: 32, peer: '::ffff:198.51.100.7' },
    ],
    ['::1 is never masked', [], { ip: '::1', key: '::1' }, { ipv6Prefix: 32, peer: '::1' }],
  ]),
]
