import { describe, expect, it, test } from 'vitest'
import { parsePrefix } from '../../ip/prefix.ts'
import type { GuardRequest } from '../../request.ts'
import type { ClientIpPreset } from '../client-ip-options.ts'
import { resolveClientIp } from '../resolve-client-ip.ts'
import { azure, cloudFront, cloudflare, fastly } from './cdn-presets.ts'
import { cloudflareRanges } from './cloudflare-ranges.gen.ts'
import { fastlyRanges } from './fastly-ranges.gen.ts'
import { awsAlb, caddy, gcp, haproxy, nginx } from './load-balancer-presets.ts'
import { cloudflareWorkers, fly, vercel } from './platform-presets.ts'

const C = '203.0.113.9'

function requestWith(header: string, value: string): GuardRequest {
  return { method: 'GET', url: '/', headers: { get: (name) => (name === header ? value : null) } }
}

const TABLE: [
  name: string,
  preset: ClientIpPreset,
  peer: string | undefined,
  value: string,
  stranger: string | undefined,
][] = [
  ['cloudflare', cloudflare(), '172.71.0.1', C, '198.51.100.7'],
  ['fastly', fastly(), '151.101.1.1', C, '198.51.100.7'],
  ['cloudFront', cloudFront({ trust: ['130.176.0.0/18'] }), '130.176.1.1', `${C}:46532`, '198.51.100.7'],
  ['azure', azure({ trust: ['147.243.0.0/16'] }), '147.243.1.1', C, '198.51.100.7'],
  ['awsAlb', awsAlb({ trust: ['10.0.1.0/24'] }), '10.0.1.9', `1.1.1.1, ${C}:5678`, '10.0.2.9'],
  [
    'awsAlb behind CloudFront',
    awsAlb({ trust: ['10.0.1.0/24'], hops: 2 }),
    '10.0.1.9',
    `1.1.1.1, ${C}, 130.176.1.1`,
    '10.0.2.9',
  ],
  ['gcp', gcp(), '35.191.3.4', `1.1.1.1, ${C}, 34.120.0.1`, '198.51.100.7'],
  [
    'gcp with a proxy-only subnet',
    gcp({ trust: ['10.129.0.0/23'] }),
    '10.129.0.5',
    `1.1.1.1, ${C}, 34.120.0.1`,
    '35.191.3.4',
  ],
  ['nginx, appending', nginx(), '127.0.0.1', `1.1.1.1, ${C}`, '10.0.0.5'],
  ['nginx, overwriting', nginx(), 'unix', C, '10.0.0.5'],
  ['nginx elsewhere', nginx({ trust: ['10.0.0.5/32'] }), '10.0.0.5', `1.1.1.1, ${C}`, '127.0.0.1'],
  ['caddy', caddy(), '::1', C, '10.0.0.5'],
  ['haproxy', haproxy({ trust: ['10.0.0.5'] }), '::ffff:10.0.0.5', `1.1.1.1, ${C}`, '127.0.0.1'],
  ['vercel', vercel(), undefined, C, undefined],
  ['fly', fly(), undefined, C, undefined],
  ['cloudflareWorkers', cloudflareWorkers(), undefined, C, undefined],
]

describe('a preset', () => {
  test.each(TABLE)('%s takes the client from its proxy, and from nobody else', (_, preset, peer, value, stranger) => {
    const resolve = resolveClientIp(preset)
    expect(resolve(requestWith(preset.header, value), peer)?.ip).toBe(C)
    if (stranger !== undefined) expect(resolve(requestWith(preset.header, value), stranger)?.ip).toBe(stranger)
  })

  test.each(TABLE)('%s is plain data', (_, preset) => {
    expect(JSON.parse(JSON.stringify(preset))).toEqual(preset)
  })

  it('takes an option that is undefined, as JavaScript can give it, for one that is absent', () => {
    const trust = ['10.0.1.0/24']
    expect(awsAlb({ trust, hops: undefined } as never)).toEqual(awsAlb({ trust }))
    for (const proxy of [nginx, caddy, haproxy]) expect(proxy({ trust: undefined } as never)).toEqual(proxy())
    for (const preset of [cloudFront, azure, awsAlb, gcp])
      expect(() => resolveClientIp(preset({ trust: undefined } as never))).toThrow('names no proxy')
  })

  it('that needs trust says so when it is called without, as JavaScript can', () => {
    for (const preset of [cloudFront, azure, awsAlb]) {
      // the missing argument is the point of the test
      expect(() => resolveClientIp(preset(undefined as never))).toThrow(
        expect.objectContaining({ code: 'IPGUARD_TRUST_MISSING' }),
      )
    }
  })
})

describe('the generated ranges', () => {
  test.each([
    ['Cloudflare', cloudflareRanges, 15],
    ['Fastly', fastlyRanges, 15],
  ])('of %s parse, have no host bits, and are no wider than a vendor would have', (_, ranges, least) => {
    expect(ranges.length).toBeGreaterThanOrEqual(least)
    for (const range of ranges) {
      const { address, length } = parsePrefix(range)
      expect(length, range).toBeGreaterThanOrEqual(address.family === 4 ? 8 : 16)
    }
  })
})
