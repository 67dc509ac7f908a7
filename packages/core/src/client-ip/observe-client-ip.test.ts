import { describe, expect, it, test } from 'vitest'
import type { GuardRequest } from '../request.ts'
import { observeClientIp, type Warning } from './observe-client-ip.ts'
import { type ClientIpResolver, compileClientIp } from './resolve-client-ip.ts'

const XFF = { 'x-forwarded-for': '203.0.113.9' }
const BEHIND = compileClientIp({ header: 'x-forwarded-for', trust: ['10.0.0.5'] })

function requestWith(headers: Readonly<Record<string, string>>): GuardRequest {
  return { method: 'GET', url: '/', headers: { get: (name) => new Map(Object.entries(headers)).get(name) } }
}

function watch(
  resolver: ClientIpResolver,
  count: number,
  of: (i: number) => [headers: Readonly<Record<string, string>>, peer: string | undefined],
): Warning[] {
  const { observe } = observeClientIp(resolver)
  return Array.from({ length: count }, (_, i) => {
    const [headers, peer] = of(i)
    const request = requestWith(headers)
    return observe(request, peer, resolver.resolve(request, peer))
  }).filter((warning) => warning !== undefined)
}

const codes = (warnings: readonly Warning[]) => warnings.map(({ code }) => code)

describe('observeClientIp', () => {
  test.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip'])(
    'reports %s once when no header is configured',
    (name) => {
      const warnings = watch(compileClientIp(), 5, () => [{ [name]: '203.0.113.9' }, '198.51.100.7'])
      expect(codes(warnings)).toEqual(['IPGUARD_FORWARDED_UNTRUSTED'])
      expect(warnings[0]?.message).toContain(name)
      expect(warnings[0]?.message).not.toContain('203.0.113.9')
    },
  )

  test.each([
    '127.0.0.1',
    '10.0.0.6',
    '192.168.1.1',
    '172.16.0.1',
    '100.64.0.1',
    '169.254.0.1',
    '::1',
    'fd00::1',
    'fe80::1%eth0',
    '::ffff:10.0.0.6',
    'unix',
  ])('reports the near peer %s once when it forwards and is not trusted', (peer) => {
    const warnings = watch(BEHIND, 5, () => [XFF, peer])
    expect(codes(warnings)).toEqual(['IPGUARD_PEER_PRIVATE_UNTRUSTED'])
    expect(warnings[0]?.message).toContain(peer)
  })

  it('reports a near peer by the header that is configured', () => {
    const warnings = watch(compileClientIp({ header: 'True-Client-IP', trust: ['10.0.0.5'] }), 5, () => [
      { 'true-client-ip': '203.0.113.9' },
      '10.0.0.6',
    ])
    expect(codes(warnings)).toEqual(['IPGUARD_PEER_PRIVATE_UNTRUSTED'])
    expect(warnings[0]?.message).toContain('true-client-ip')
  })

  it('reports both when a near peer forwards and nothing is configured', () => {
    expect(codes(watch(compileClientIp(), 5, () => [XFF, '10.0.0.5'])).sort()).toEqual([
      'IPGUARD_FORWARDED_UNTRUSTED',
      'IPGUARD_PEER_PRIVATE_UNTRUSTED',
    ])
  })

  test.each<[string, ClientIpResolver, Readonly<Record<string, string>>, string | undefined]>([
    ['a trusted peer forwards', BEHIND, XFF, '10.0.0.5'],
    ['a public peer forges the header of a configured proxy', BEHIND, XFF, '198.51.100.7'],
    ['no header arrives', compileClientIp(), {}, '127.0.0.1'],
    ['the peer is not known', BEHIND, XFF, undefined],
    [
      'the origin is unreachable',
      compileClientIp({ header: 'fly-client-ip', originUnreachable: true }),
      XFF,
      '172.16.0.2',
    ],
  ])('is silent when %s', (_, resolver, headers, peer) => {
    expect(watch(resolver, 50, () => [headers, peer])).toEqual([])
  })

  it('reports one client when the first 1,000 requests came from it', () => {
    const same = (count: number) => codes(watch(compileClientIp(), count, () => [{}, '198.51.100.7']))
    expect(same(999)).toEqual([])
    expect(same(1_000)).toEqual(['IPGUARD_ONE_CLIENT'])
    expect(same(5_000)).toEqual(['IPGUARD_ONE_CLIENT'])
  })

  it('does not report one client when any of them came from another', () => {
    expect(watch(compileClientIp(), 5_000, (i) => [{}, i === 998 ? '198.51.100.8' : '198.51.100.7'])).toEqual([])
  })

  test.each([
    ['most', (i: number) => i % 2 === 1],
    ['the first', (i: number) => i > 0],
    ['one', (i: number) => i !== 998],
    ['all of the first', (i: number) => i >= 1_000],
  ])('does not report one client when %s of them had none', (_, hasClient) => {
    expect(watch(compileClientIp(), 5_000, (i) => [{}, hasClient(i) ? '198.51.100.7' : undefined])).toEqual([])
  })

  it('counts the addresses of one IPv6 network as one client', () => {
    expect(codes(watch(compileClientIp(), 1_000, (i) => [{}, `2001:db8::${i + 1}`]))).toEqual(['IPGUARD_ONE_CLIENT'])
  })

  it('looks at one request in 1,024 after the first 1,000', () => {
    const late = (at: number) =>
      watch(compileClientIp(), 4_096, (i) => [i + 1 === at ? XFF : {}, `198.51.100.${i % 9}`]).length
    expect([late(1_000), late(1_001), late(2_047), late(2_048), late(3_072)]).toEqual([1, 0, 0, 1, 1])
  })

  it('reads no header once everything has been reported', () => {
    const resolver = compileClientIp()
    const { observe } = observeClientIp(resolver)
    for (let i = 0; i < 1_000; i++) observe(requestWith(XFF), '10.0.0.5', resolver.resolve(requestWith({}), '10.0.0.5'))
    const blind = { method: 'GET', url: '/', headers: { get: () => expect.unreachable() } }
    for (let i = 0; i < 3_000; i++) expect(observe(blind, '10.0.0.5', undefined)).toBeUndefined()
  })
})
