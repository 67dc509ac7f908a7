import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { clientAddressVectors } from '../../../conformance/src/client-address/client-address-vectors.ts'
import { normalizeIp, parseAddress } from '../ip/address.ts'
import type { GuardRequest } from '../request.ts'
import { compileClientIp, resolveClientIp } from './resolve-client-ip.ts'

function requestWith(lines: readonly (readonly [string, string])[]): GuardRequest {
  const get = (name: string) => {
    const values = lines.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
    return values.length === 0 ? null : values.join(', ')
  }
  return { method: 'GET', url: '/', headers: { get } }
}

describe('the client-address vectors', () => {
  for (const vector of clientAddressVectors) {
    test(vector.name, () => {
      const { ipv6Prefix, requireHeader } = vector
      const resolver = compileClientIp(vector.options, {
        ipv6Prefix: ipv6Prefix ?? 64,
        requireHeader: requireHeader ?? false,
      })
      const resolved = resolver.resolve(requestWith(vector.headers), vector.peer)
      if (vector.expect === null) return expect(resolved).toBeUndefined()
      const { ip, key, rule } = vector.expect
      expect(resolved?.client.ip).toBe(ip)
      if (key !== undefined) expect(resolved?.client.key).toBe(key)
      if (rule !== undefined) expect(resolved?.client.via.rule).toBe(rule)
      expect(resolved?.address).toEqual(parseAddress(ip))
      expect(resolved?.key).toEqual(parseAddress(String(resolved?.client.key).split('/')[0] ?? ''))
      expect(resolved?.allowable).toBe(rule !== 'all-trusted')
    })
  }

  it('has unique names and at least 150 cases, and marks only sendable ones for the wire', () => {
    expect(clientAddressVectors.length).toBeGreaterThanOrEqual(150)
    expect(new Set(clientAddressVectors.map(({ name }) => name)).size).toBe(clientAddressVectors.length)
    for (const { wire, peer, headers, name } of clientAddressVectors) {
      if (!wire) continue
      expect(peer, name).toBe('127.0.0.1')
      for (const [, value] of headers) expect(value, name).toMatch(/^(?:[!-~](?:[ -~\t]*[!-~])?)?$/)
    }
  })

  it('is plain data', () => {
    expect(JSON.parse(JSON.stringify(clientAddressVectors))).toEqual(clientAddressVectors)
  })
})

describe('via', () => {
  const chain = { header: 'X-Forwarded-For', trust: ['loopback', '10.0.0.0/8'] }
  test.each([
    [{}, '', '127.0.0.1', { rule: 'socket' }],
    [chain, '192.0.2.1', '198.51.100.1', { rule: 'socket', header: 'x-forwarded-for', because: 'peer-untrusted' }],
    [chain, '', '127.0.0.1', { rule: 'socket', header: 'x-forwarded-for', because: 'header-absent' }],
    [
      { ...chain, hops: 2 },
      '192.0.2.1',
      '127.0.0.1',
      { rule: 'socket', header: 'x-forwarded-for', because: 'chain-short' },
    ],
    [{ ...chain, hops: 1 }, '192.0.2.1', '127.0.0.1', { rule: 'hops', header: 'x-forwarded-for', hop: 1 }],
    [chain, '192.0.2.1, 10.0.0.1', '127.0.0.1', { rule: 'rightmost-untrusted', header: 'x-forwarded-for', hop: 2 }],
    [chain, '10.0.0.2, 10.0.0.1', '127.0.0.1', { rule: 'all-trusted', header: 'x-forwarded-for', hop: 2 }],
    [
      chain,
      `192.0.2.1${', 10.0.0.1'.repeat(40)}`,
      '127.0.0.1',
      { rule: 'rightmost-untrusted', header: 'x-forwarded-for', hop: 41 },
    ],
  ])('%j with %j from %s', (options, value, peer, via) => {
    const client = resolveClientIp(options)(requestWith([['x-forwarded-for', value]]), peer)
    expect(client?.via).toEqual(via)
    expect(JSON.parse(JSON.stringify(client))).toEqual(client)
  })

  it('is one shared frozen object per hop', () => {
    const resolve = resolveClientIp(chain)
    const [one, two] = ['192.0.2.1', '192.0.2.2'].map((value) =>
      resolve(requestWith([['x-forwarded-for', value]]), '127.0.0.1'),
    )
    expect(one?.via).toBe(two?.via)
    expect(Object.isFrozen(one?.via)).toBe(true)
  })
})

describe('the remembered peer', () => {
  it('does not outlive its request', () => {
    const { resolve, trustsPeer } = compileClientIp({ header: 'x-real-ip', trust: ['10.0.0.1', 'unix'] })
    const request = requestWith([['x-real-ip', '192.0.2.1']])
    const seen = ['10.0.0.1', '10.0.0.2', '10.0.0.2', 'unix', undefined, '', '10.0.0.1'].map(
      (peer) => resolve(request, peer)?.client.ip,
    )
    expect(seen).toEqual(['192.0.2.1', '10.0.0.2', '10.0.0.2', '192.0.2.1', undefined, undefined, '192.0.2.1'])
    expect(['10.0.0.1', '10.0.0.2', 'unix', undefined].map(trustsPeer)).toEqual([true, false, true, false])
  })

  it('cannot be changed by who receives it', () => {
    const resolve = resolveClientIp()
    const client = resolve(requestWith([]), '192.0.2.1')
    expect(Object.isFrozen(client)).toBe(true)
    expect(resolve(requestWith([]), '192.0.2.1')).toBe(client)
  })
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc
    .array(
      fc.constantFrom(
        ',',
        '"',
        '\\',
        ';',
        ' ',
        '\t',
        'for=',
        '10.0.0.1',
        '192.0.2.1',
        '[2001:db8::1]:4',
        '::',
        'unknown',
        '_x',
      ),
      { maxLength: 40 },
    )
    .map((parts) => parts.join('')),
)
const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6()).filter((ip) => {
  const address = parseAddress(ip)
  return address !== undefined && (address.a | address.b | address.c | address.d) !== 0
})
const OPTIONS = [
  { header: 'x-forwarded-for', trust: ['loopback', '10.0.0.0/8'] },
  { header: 'x-forwarded-for', hops: 2, trust: ['loopback'] },
  { header: 'forwarded', trust: ['loopback', '10.0.0.0/8'] },
  { header: 'forwarded', hops: 2, trust: ['loopback'] },
  { header: 'x-real-ip', trust: ['loopback'] },
  { header: 'cloudfront-viewer-address', originUnreachable: true },
]

describe('whatever the header says', () => {
  test.each(OPTIONS)('%j never throws, and answers canonical text or nothing', (options) => {
    const resolve = resolveClientIp(options)
    fc.assert(
      fc.property(anyText, fc.oneof(fc.constantFrom('127.0.0.1', 'unix', ''), anyText), (value, peer) => {
        const client = resolve(requestWith([[options.header, value]]), peer)
        if (client !== undefined) expect(normalizeIp(client.ip)).toBe(client.ip)
      }),
      { numRuns: 2_000 },
    )
  })

  it('the client is the first untrusted element from the right, the leftmost when all are trusted, or nobody', () => {
    const resolve = resolveClientIp({ header: 'x-forwarded-for', trust: ['loopback', '10.0.0.0/8'] })
    const element = fc.constantFrom(
      '10.0.0.1',
      '10.9.9.9',
      '::ffff:10.1.1.1',
      '192.0.2.1',
      '192.0.2.2:80',
      '[2001:db8::1]',
      'unknown',
      '',
    )
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 6 }), (elements) => {
        fc.pre(elements.join('') !== '' || elements.length > 1)
        const plain = elements.map((text) => normalizeIp(text.replace(/:80$|[[\]]/g, '')))
        const first = plain.findLastIndex((ip) => ip === undefined || !ip.startsWith('10.'))
        const client = resolve(requestWith([['x-forwarded-for', elements.join(', ')]]), '127.0.0.1')
        expect(client?.ip).toBe(plain[Math.max(first, 0)])
      }),
    )
  })

  it('an element that a trusted proxy appends wins over any prefix in x-forwarded-for', () => {
    const resolve = resolveClientIp({ header: 'x-forwarded-for', trust: ['loopback'] })
    fc.assert(
      fc.property(anyText, anyAddress, fc.boolean(), (prefix, ip, port) => {
        fc.pre(!/^127\.|^::1$|^::ffff:7f/.test(normalizeIp(ip) ?? ''))
        const element = port ? (ip.includes(':') ? `[${ip}]:443` : `${ip}:443`) : ip
        const client = resolve(
          requestWith([
            ['x-forwarded-for', prefix],
            ['x-forwarded-for', element],
          ]),
          '127.0.0.1',
        )
        expect(client?.ip).toBe(normalizeIp(ip))
      }),
      { numRuns: 2_000 },
    )
  })

  it('an element that a trusted proxy appends wins over any prefix in forwarded, with the caller’s text quoted in it', () => {
    const resolve = resolveClientIp({ header: 'forwarded', hops: 1, trust: ['loopback'] })
    const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
    fc.assert(
      fc.property(anyText, anyAddress, anyText, fc.boolean(), (prefix, ip, host, hostFirst) => {
        const by = `for=${quote(ip.includes(':') ? `[${ip}]` : ip)}`
        const element = hostFirst ? `host=${quote(host)};${by}` : `${by};host=${quote(host)}`
        const client = resolve(
          requestWith([
            ['forwarded', prefix],
            ['forwarded', element],
          ]),
          '127.0.0.1',
        )
        expect(client?.ip).toBe(normalizeIp(ip))
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('a long header', () => {
  const pad = (part: string, length: number) => part.repeat(Math.floor(length / part.length))
  test.each([
    ['x-forwarded-for', 'trusted hops', '::1,'],
    ['x-forwarded-for', 'commas', ','],
    ['x-forwarded-for', 'spaces', ' '],
    ['x-forwarded-for', 'digits', '1'],
    ['x-forwarded-for', 'colons', ':'],
    ['forwarded', 'trusted hops', 'for="[::1]",'],
    ['forwarded', 'quotes', '"'],
    ['forwarded', 'escaped quotes', '\\"'],
    ['forwarded', 'backslashes', '\\'],
    ['forwarded', 'parameters', 'a=b;'],
    ['forwarded', 'open quotes before trusted hops', 'for=::1,"'],
    ['x-real-ip', 'spaces', ' '],
  ])('%s of %s takes linear time', (header, _, part) => {
    const resolve = resolveClientIp({ header, trust: ['loopback'] })
    const best = (length: number) => {
      const tail = header === 'forwarded' ? 'for=::1' : '::1'
      const request = requestWith([[header, `${pad(part, length)}${tail}`]])
      let least = Number.POSITIVE_INFINITY
      for (let round = 0; round < 30; round++) {
        const start = performance.now()
        for (let i = 0; i < 5; i++) resolve(request, '127.0.0.1')
        least = Math.min(least, (performance.now() - start) / 5)
      }
      return least
    }
    best(1_024)
    const [short, long] = [best(4_096), best(16_384)]
    // 4 when linear, 16 when quadratic; the floor keeps the clock's grain out of it
    expect(long / Math.max(short, 0.02)).toBeLessThan(9)
    expect(long).toBeLessThan(5)
  })
})
