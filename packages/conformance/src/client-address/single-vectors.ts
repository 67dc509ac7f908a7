import { type ClientAddressVector, vectors } from './vector.ts'

const C = '203.0.113.9'
const CLOUDFLARE = ['173.245.48.0/20', '2400:cb00::/32']

/** Headers that carry one address, as platforms and CDNs set them. */
export const singleVectors: readonly ClientAddressVector[] = [
  ...vectors('x-real-ip', { options: { header: 'x-real-ip', trust: ['loopback'] } }, [
    ['an address', C, { ip: C, key: C, rule: 'single' }],
    ['IPv6', '2001:db8::9', { ip: '2001:db8::9', key: '2001:db8::/64', rule: 'single' }],
    ['with a port', `${C}:5678`, C],
    ['IPv6 with brackets and a port', '[2001:db8::9]:3838', '2001:db8::9'],
    ['IPv4-mapped', '::ffff:172.21.0.6', '172.21.0.6'],
    ['a trusted address is the client', '127.0.0.1', { ip: '127.0.0.1', rule: 'single' }],
    ['spaces at both ends', ` \t${C} `, C, { wire: false }],
    ['two lines: no client', ['1.1.1.1', C], null],
    ['a list: no client', `1.1.1.1, ${C}`, null],
    ['text: no client', 'nope', null],
    ['0.0.0.0: no client', '0.0.0.0', null],
    ['a no-break space: no client', `\u00a0${C}`, null, { wire: false }],
    ['absent: the peer', [], { ip: '127.0.0.1', rule: 'socket' }],
    ['blank: the peer', '', '127.0.0.1'],
    ['x-forwarded-for is not read', { 'x-forwarded-for': C }, '127.0.0.1'],
    ['an untrusted peer is the client', C, '198.51.100.7', { peer: '198.51.100.7' }],
    ['absent under onlyAllow: no client', [], null, { requireHeader: true }],
  ]),
  ...vectors('cf-connecting-ip', { options: { header: 'cf-connecting-ip', trust: CLOUDFLARE } }, [
    ['from Cloudflare', C, C, { peer: '173.245.48.10' }],
    ['from Cloudflare over IPv6', C, C, { peer: '2400:cb00::1' }],
    ['from Cloudflare, mapped peer', C, C, { peer: '::ffff:173.245.48.10' }],
    ['from anybody else', C, '198.51.100.7', { peer: '198.51.100.7' }],
    [
      'x-forwarded-for beside it is ignored',
      { 'cf-connecting-ip': C, 'x-forwarded-for': '1.1.1.1' },
      C,
      { peer: '173.245.48.10' },
    ],
  ]),
  ...vectors('cloudfront-viewer-address', { options: { header: 'cloudfront-viewer-address', trust: ['loopback'] } }, [
    ['IPv4 with its port', `${C}:46532`, { ip: C, rule: 'single' }],
    ['IPv6 without brackets, with its port', '2001:db8::8a2e:370:7334:46532', '2001:db8::8a2e:370:7334'],
    ['full IPv6 without brackets, with its port', '2001:db8:1:2:3:4:5:6:443', '2001:db8:1:2:3:4:5:6'],
    ['IPv6 in brackets', '[2001:db8::1]:443', '2001:db8::1'],
    ['without a port: no client', C, null],
    ['full IPv6 without a port: no client', '2001:db8:1:2:3:4:5:6', null],
  ]),
  ...vectors(
    'a platform without a peer',
    { options: { header: 'fly-client-ip', originUnreachable: true }, peer: null },
    [
      ['the header', C, { ip: C, rule: 'single' }],
      ['absent: no client', [], null],
      ['garbage: no client', 'nope', null],
      ['the peer, when there is one and no header', [], '172.16.0.2', { peer: '172.16.0.2' }],
      ['x-real-ip on Vercel', C, C, { options: { header: 'x-real-ip', originUnreachable: true } }],
      [
        'cf-connecting-ip is the caller’s on Vercel',
        { 'x-real-ip': C, 'cf-connecting-ip': '1.1.1.1' },
        C,
        { options: { header: 'x-real-ip', originUnreachable: true } },
      ],
      ['x-azure-socketip', C, C, { options: { header: 'x-azure-socketip', originUnreachable: true } }],
    ],
  ),
]
