import { type ClientAddressVector, type VectorOptions, vectors } from './vector.ts'

const header = 'x-forwarded-for'

// The situations of three systems that many people trust, restated for ipguard's options:
// - Envoy, "HTTP header manipulation", x-forwarded-for, its six worked examples. `use_remote_address: false` with N
//   trusted hops is `hops: N + 1`; true with N > 0 is `hops: N`; true with 0 is `{}`. In Envoy's own words the peer is
//   trusted by configuration: here it is named.
// - nginx, the realip module: nginx-tests, realip.t.
// - realclientip-go (0BSD), realclientip_test.go, where its strategies have a counterpart.

const ENVOY_CHAIN = '203.0.113.128, 203.0.113.10, 203.0.113.1'
const INNER = ['10.11.12.13', '10.20.30.50']

const NGINX: VectorOptions = { header, trust: ['127.0.0.1/32', '10.0.1.0/24'] }
const NGINX_LAST: VectorOptions = { ...NGINX, hops: 1 }

const GO_COUNT: VectorOptions = { header, hops: 2, trust: ['loopback'] }
const GO_RANGE: VectorOptions = { header, trust: ['loopback', '4.4.4.4', '5.5.5.0/24', '2607:f8b0::/32'] }
const GO_FORWARDED: VectorOptions = { ...GO_RANGE, header: 'forwarded' }

/** Worked examples and test cases of Envoy, nginx and realclientip-go. */
export const borrowedVectors: readonly ClientAddressVector[] = [
  ...vectors('Envoy', { options: {}, header }, [
    ['example 1, edge proxy without a trusted proxy in front', ENVOY_CHAIN, '192.0.2.5', { peer: '192.0.2.5' }],
    [
      'example 2, internal proxy behind the edge',
      `${ENVOY_CHAIN}, 192.0.2.5`,
      '192.0.2.5',
      { peer: '10.11.12.13', options: { header, hops: 1, trust: INNER } },
    ],
    [
      'example 3, edge proxy behind two trusted proxies',
      ENVOY_CHAIN,
      '203.0.113.10',
      { peer: '192.0.2.5', options: { header, hops: 2, trust: ['192.0.2.5'] } },
    ],
    [
      'example 4, internal proxy behind the edge of example 3',
      `${ENVOY_CHAIN}, 192.0.2.5`,
      '203.0.113.10',
      { peer: '10.11.12.13', options: { header, hops: 3, trust: INNER } },
    ],
    [
      'example 5, internal client without the header',
      [],
      '10.20.30.40',
      { peer: '10.20.30.40', options: { header, hops: 1, trust: INNER } },
    ],
    [
      'example 6, request of an internal client through another proxy',
      '10.20.30.40',
      '10.20.30.40',
      { peer: '10.20.30.50', options: { header, hops: 1, trust: INNER } },
    ],
    [
      'fewer addresses than hops: the downstream connection',
      '203.0.113.1',
      '192.0.2.5',
      { peer: '192.0.2.5', options: { header, hops: 2, trust: ['192.0.2.5'] } },
    ],
  ]),
  ...vectors('nginx realip', { options: NGINX }, [
    [
      'the default header',
      { 'x-real-ip': '192.0.2.1' },
      '192.0.2.1',
      { options: { header: 'x-real-ip', trust: ['127.0.0.1/32'] } },
    ],
    [
      'a custom header',
      { 'x-real-ip-custom': '192.0.2.1' },
      '192.0.2.1',
      { options: { header: 'x-real-ip-custom', trust: ['127.0.0.1/32'] } },
    ],
    ['several addresses', '10.0.0.1, 192.0.2.1', '192.0.2.1', { options: NGINX_LAST }],
    ['not recursive takes the last', '192.0.2.1, 10.0.1.1, 127.0.0.1', '127.0.0.1', { options: NGINX_LAST }],
    ['recursive skips trusted addresses', '10.0.1.1, 192.0.2.1, 127.0.0.1', '192.0.2.1'],
    ['several lines, not recursive', ['192.0.2.1', '127.0.0.1, 10.0.1.1'], '10.0.1.1', { options: NGINX_LAST }],
    ['several lines, recursive', ['10.0.1.1', '192.0.2.1', '127.0.0.1'], '192.0.2.1'],
    ['a peer outside set_real_ip_from', '192.0.2.1', '198.51.100.7', { peer: '198.51.100.7' }],
    // nginx keeps the last trusted hop (10.0.1.1) here
    ['text before a trusted hop is no client', '192.0.2.1, unknown, 10.0.1.1', null],
  ]),
  ...vectors('realclientip-go, count', { options: GO_COUNT }, [
    ['over several lines', ['4.4.4.4, 5.5.5.5', '6.6.6.6'], '5.5.5.5'],
    ['IPv6 with a port', '[2607:f8b0:4004:83f::18]:3838, 3.3.3.3', '2607:f8b0:4004:83f::18'],
    ['the slot holds no address', '1.1.1.1, nope, 2.2.2.2', null],
    // realclientip-go gives nothing here; Envoy and ipguard give the connection
    ['too few', '1.1.1.1', '127.0.0.1'],
  ]),
  ...vectors('realclientip-go, range', { options: GO_RANGE }, [
    ['none trusted', '2.2.2.2:3384, 3.3.3.3', '3.3.3.3'],
    ['one trusted', '2.2.2.2:3384, 3.3.3.3, 4.4.4.4', '3.3.3.3'],
    ['all but the first trusted', ['2.2.2.2:3384, 5.5.5.9', '4.4.4.4:1'], '2.2.2.2'],
    ['IPv6 proxies', '3.3.3.3, [2607:f8b0:4004:83f::18]:3838', '3.3.3.3'],
    ['NAT64 client', '64:ff9b::188.0.2.128, 4.4.4.4', '64:ff9b::bc00:280'],
    ['an invalid address stops the walk', '2.2.2.2, nope, 4.4.4.4', null],
    ['an unspecified address stops the walk', '2.2.2.2, 0.0.0.0, 4.4.4.4', null],
  ]),
  ...vectors('realclientip-go, Forwarded', { options: GO_FORWARDED }, [
    ['IPv4-mapped in hex', 'For="::ffff:bc15:0006", For=4.4.4.4', '188.21.0.6'],
    ['several parameters', 'by=1.1.1.1; for=2.2.2.2;host=myhost; proto=https', '2.2.2.2'],
    ['IPv6 without quotes or brackets', 'by=1::1;host=myhost;for=2::2;proto=https', '2::2'],
    ['a zone with brackets and a port', 'For="[fe80::abcd%zone]:4711"', 'fe80::abcd'],
    ['an unmatched quote', 'For="1.1.1.1, For=2.2.2.2', '2.2.2.2'],
    // realclientip-go reads "2.2.2.2" inside the quotes as an element; RFC 7239 does not
    ['commas in quotes', 'For="1.1.1.1, For=2.2.2.2, For=3.3.3.3", For="9.9.9.9"', '9.9.9.9'],
    ['invalid characters in another parameter', 'For=1.1.1.1;@!=?, For=2.2.2.2', '2.2.2.2'],
    // realclientip-go does not unescape, takes the second of two fors, and accepts "for= 1.1.1.1"
    ['an escaped character', 'For="3.3.3.\\3"', '3.3.3.3'],
    ['two fors', 'For=1.1.1.1;For=2.2.2.2', null],
    ['garbage', 'adsjkl&#*(383fdljk', null],
  ]),
]
