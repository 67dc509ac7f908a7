import { IncomingMessage, type Server } from 'node:http'
import { Socket } from 'node:net'
import { resolveClientIp } from '@ipguard/core'
import { describe, expect, it, vi } from 'vitest'
import { nodeRequest } from './node-request.ts'

/** A message as Node's parser leaves it: `headers` is worked out from the lines that were kept. */
function message(lines: readonly (readonly [string, string])[], server?: Partial<Server>): IncomingMessage {
  const native = new IncomingMessage(Object.assign(new Socket(), server && { server }))
  native.rawHeaders = lines.flat()
  for (const [name, value] of lines) {
    const key = name.toLowerCase()
    const before = native.headers[key]
    native.headers[key] =
      before === undefined || key === 'user-agent' ? (before ?? value) : `${before.toString()}, ${value}`
  }
  return native
}

describe('nodeRequest', () => {
  it('gives method, URL, and the request it stands for', () => {
    const native = Object.assign(message([]), { method: 'PUT', url: '/a?b' })
    expect(nodeRequest(native)).toMatchObject({ method: 'PUT', url: '/a?b', native })
  })

  it('gives the method in capitals, as routers may read it', () => {
    const native = Object.assign(message([]), { method: 'post' })
    expect([nodeRequest(native).method, nodeRequest(native, '/', 'Patch').method]).toEqual(['POST', 'PATCH'])
  })

  it('gives the whole URL where a framework has cut it for a mounted router', () => {
    const native = Object.assign(message([]), { url: '/inner', originalUrl: '/mounted/inner' })
    expect(nodeRequest(native).url).toBe('/mounted/inner')
  })

  it.each<readonly [string, object, string | undefined, readonly string[]]>([
    ['nothing', { url: '/a?b' }, undefined, []],
    ['a router that is mounted, in Express', { url: '/a', baseUrl: '/b', originalUrl: '/b/a' }, undefined, []],
    ['one that does not say where', { url: '/a', originalUrl: '/b/a' }, undefined, []],
    ['a URL that the framework gives', { url: '/a' }, '/b/a', []],
    ['a new path, by Express', { url: '/a', baseUrl: '', originalUrl: '/old' }, undefined, ['/a', '/old']],
    ['and under a router', { url: '/a', baseUrl: '/b', originalUrl: '/b/old' }, undefined, ['/b/a', '/b/old']],
    ['by Fastify, which routes the new one', { url: '/a', originalUrl: '/old' }, '/a', ['/a', '/old']],
  ])('names what has become of the path: %s', (_, fields, url, names) => {
    const request = nodeRequest(Object.assign(message([]), fields), url)
    expect(request.names).toEqual(names)
  })

  it.each<readonly [string, readonly (readonly [string, string])[], string, string | undefined]>([
    ['one line', [['X-A', '1']], 'x-a', '1'],
    ['any case of the name', [['X-A', '1']], 'X-A', '1'],
    [
      'repeated lines',
      [
        ['X-A', '1'],
        ['x-a', '2'],
      ],
      'x-a',
      '1, 2',
    ],
    [
      'lines of which Node keeps the first',
      [
        ['User-Agent', 'a'],
        ['X', ''],
        ['user-agent', 'b'],
      ],
      'user-agent',
      'a, b',
    ],
    ['an absent header', [], 'x-a', undefined],
    ['an absent one of which Node keeps the first', [], 'host', undefined],
    ['a name that every object has', [], 'constructor', undefined],
    ['the name of the prototype', [], '__proto__', undefined],
  ])('reads %s', (_what, lines, name, value) => {
    expect(nodeRequest(message(lines)).headers.get(name)).toBe(value)
  })

  it('joins cookies as Node does', () => {
    const native = message([
      ['Cookie', 'a=1'],
      ['Cookie', 'b=2'],
    ])
    native.headers.cookie = 'a=1; b=2'
    expect(nodeRequest(native).headers.get('cookie')).toBe('a=1; b=2')
  })

  it('reads the headers of a request without lines, such as one that was made for a lambda', () => {
    const native = Object.assign(message([]), { headers: { 'x-a': '1', 'x-b': ['1', '2'] } })
    const { headers } = nodeRequest(native as unknown as IncomingMessage) // Node has arrays for set-cookie only
    expect(['x-a', 'x-b', 'x-c'].map((name) => headers.get(name))).toEqual(['1', '1, 2', undefined])
  })

  it('goes by what came, not by what somebody has written since', () => {
    const native = message([['X-Forwarded-For', '192.0.2.1']])
    native.headers['x-forwarded-for'] = '6.6.6.6'
    expect(nodeRequest(native).headers.get('x-forwarded-for')).toBe('192.0.2.1')
  })

  it('has Node work out no headers for one', () => {
    const native = message([['X-A', '1']])
    const looked = vi.spyOn(native, 'headers', 'get')
    expect([nodeRequest(native).headers.get('x-a'), nodeRequest(native).headers.get('x-b')]).toEqual(['1', undefined])
    expect(looked).not.toHaveBeenCalled()
  })

  describe('when Node has dropped header lines, so that a caller may have pushed out what a proxy appended', () => {
    const forged = [['X-Forwarded-For', '6.6.6.6'], ...Array.from({ length: 999 }, () => ['a', ''] as const)] as const
    const clientOf = resolveClientIp({ header: 'x-forwarded-for', trust: ['loopback'] })

    it.each<[header: string, forgery: string, hops: number | undefined]>([
      ['x-forwarded-for', '6.6.6.6', undefined],
      ['x-forwarded-for', '6.6.6.6', 1],
      ['x-forwarded-for', '6.6.6.6', 2],
      ['x-forwarded-for', '6.6.6.6', 3],
      ['x-forwarded-for', '6.6.6.6, 6.6.6.6, 6.6.6.6', 3],
      ['forwarded', 'for=6.6.6.6', undefined],
      ['forwarded', 'for=6.6.6.6', 2],
      ['forwarded', 'for=6.6.6.6;by="', 2],
      ['x-real-ip', '6.6.6.6', undefined],
      ['cloudfront-viewer-address', '6.6.6.6:1', undefined],
    ])('finds no client in %s: %s by hops: %s, nor where the header is absent', (header, forgery, hops) => {
      const rule = resolveClientIp({ header, trust: ['loopback'], ...(hops && { hops }) })
      for (const line of [
        [header, forgery],
        ['a', ''],
      ] as const)
        expect(rule(nodeRequest(message([line, ...forged.slice(1)])), '127.0.0.1')).toBeUndefined()
    })

    it('finds none where nobody is said to reach the server past its proxy', () => {
      const rule = resolveClientIp({ header: 'x-forwarded-for', hops: 2, originUnreachable: true })
      expect(rule(nodeRequest(message(forged)), undefined)).toBeUndefined()
    })

    it('takes the connection for the client where no header is to be read', () => {
      const request = nodeRequest(message(forged))
      expect(resolveClientIp()(request, '192.0.2.1')?.ip).toBe('192.0.2.1')
      expect(clientOf(request, '192.0.2.1')?.ip).toBe('192.0.2.1')
    })

    it('gives the values as they came all the same', () => {
      const { headers } = nodeRequest(message(forged))
      expect([headers.get('x-forwarded-for'), headers.get('x-b')]).toEqual(['6.6.6.6', undefined])
    })

    it('finds one as long as nothing can have been dropped', () => {
      expect(clientOf(nodeRequest(message(forged.slice(0, 999))), '127.0.0.1')?.ip).toBe('6.6.6.6')
    })

    it.each([
      [3, undefined],
      [4, '6.6.6.6'],
      [0, '6.6.6.6'],
    ])('goes by the server’s maxHeadersCount: %s', (maxHeadersCount, ip) => {
      const native = message(forged.slice(0, 3), { maxHeadersCount })
      expect(clientOf(nodeRequest(native), '127.0.0.1')?.ip).toBe(ip)
    })
  })
})
