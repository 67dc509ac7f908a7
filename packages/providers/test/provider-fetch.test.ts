import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { IpGuardError } from '@ipguard/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type ProviderFetchOptions, providerFetch, providerStream } from '../src/index.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Served {
  readonly url: string
  readonly requests: readonly IncomingMessage[]
  /** Connections that were opened. */
  readonly sockets: () => number
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Served> {
  const requests: IncomingMessage[] = []
  let sockets = 0
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  server.on('connection', () => sockets++)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, sockets: () => sockets }
}

/** The error that a call rejects with, and whether it came within a bound. */
async function refusal(call: Promise<unknown>): Promise<IpGuardError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(IpGuardError)
  return error as IpGuardError
}

const read = async (url: string, options: ProviderFetchOptions & { maxBytes: number }): Promise<string> => {
  const { body } = await providerStream(url, options)
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
  return text
}

describe('providerFetch', () => {
  it('answers with any status, the headers and the body', async () => {
    const { url } = await serve((_, response) => response.writeHead(404, { 'x-a': 'b' }).end('{"a":"ü"}'))
    const answer = await providerFetch(url)
    expect([answer.status, answer.headers.get('x-a'), answer.text, answer.json()]).toEqual([
      404,
      'b',
      '{"a":"ü"}',
      { a: 'ü' },
    ])
  })

  it('puts together characters that came in two parts', async () => {
    const { url } = await serve((_, response) => {
      const bytes = Buffer.from('"ü"')
      response.write(bytes.subarray(0, 2), () => response.end(bytes.subarray(2)))
    })
    expect((await providerFetch(url)).json()).toBe('ü')
  })

  it('sends what it was given and a name of its own, no cookies', async () => {
    const { url, requests } = await serve((_, response) =>
      response.writeHead(200, { 'set-cookie': 'a=b; Path=/' }).end('{}'),
    )
    const headers = { 'x-key': 'k' }
    for (let i = 0; i < 2; i++) await providerFetch(`${url}/v1?ip=9.9.9.9`, { method: 'POST', headers, body: 'x' })
    const [, second] = requests
    expect([second?.url, second?.method, second?.headers['x-key']]).toEqual(['/v1?ip=9.9.9.9', 'POST', 'k'])
    expect(second?.headers).toMatchObject({
      accept: 'application/json',
      'user-agent': expect.stringMatching(/^ipguard\/0 /),
    })
    expect(['cookie', 'referer', 'origin'].filter((name) => name in (second?.headers ?? {}))).toEqual([])
  })

  it('keeps its connections', async () => {
    const { url, sockets } = await serve((_, response) => response.end('{}'))
    for (let i = 0; i < 20; i++) await providerFetch(url)
    // One may still be on its way back when the next request comes.
    expect(sockets()).toBeLessThanOrEqual(2)
  })

  it('lets another accept and another name stand', async () => {
    const { url, requests } = await serve((_, response) => response.end('{}'))
    await providerFetch(url, { headers: { Accept: 'text/plain', 'User-Agent': 'mine/1' } })
    expect(requests[0]?.headers).toMatchObject({ accept: 'text/plain', 'user-agent': 'mine/1' })
  })

  it.each([0, 65_536])('takes a body of %i bytes and refuses one more than the cap', async (size) => {
    const { url } = await serve((_, response) => response.end('x'.repeat(size)))
    expect((await providerFetch(url)).text.length).toBe(size)
    if (size === 0) return
    expect((await refusal(providerFetch(url, { maxBytes: size - 1 }))).code).toBe('IPGUARD_PROVIDER_ANSWER')
  })

  it('counts bytes after they are unpacked', async () => {
    const packed = gzipSync(Buffer.alloc(50_000_000, 32))
    const { url } = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed))
    expect(packed.byteLength).toBeLessThan(65_536)
    expect((await refusal(providerFetch(url))).message).toBe(
      `${new URL(url).host} answered with more than 65536 bytes.`,
    )
  })

  it('sends nothing when it was aborted before', async () => {
    const { url, requests } = await serve((_, response) => response.end('{}'))
    expect((await refusal(providerFetch(url, { signal: AbortSignal.abort() }))).code).toBe('IPGUARD_PROVIDER_TIMEOUT')
    expect(requests.length).toBe(0)
  })

  it.each(['hunter2\nx', 'hunter2\u0000', 'hunter2 \u20ac'])(
    'sends no header that cannot be one (%j), shows nothing of it, and leaves no timer',
    async (value) => {
      const { url, requests } = await serve((_, response) => response.end('{}'))
      const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
      const before = timers()
      const error = await refusal(providerFetch(url, { headers: { 'x-key': value } }))
      expect(timers()).toBe(before)
      expect(error.code).toBe('IPGUARD_OPTION_INVALID')
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2')
      expect(requests.length).toBe(0)
    },
  )

  it('has one deadline, which neither headers nor parts of a body start anew', async () => {
    const drips: ReturnType<typeof setInterval>[] = []
    const { url } = await serve((_, response) => {
      response.writeHead(200)
      drips.push(setInterval(() => response.write(' '), 20))
    })
    const began = performance.now()
    const error = await refusal(providerFetch(url, { timeout: 200 }))
    for (const drip of drips) clearInterval(drip)
    expect([error.code, error.cause]).toEqual(['IPGUARD_PROVIDER_TIMEOUT', undefined])
    expect(performance.now() - began).toBeLessThan(2_000)
  })

  it('holds its limits also over a fetch that knows none of them', async () => {
    const forever = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) })
    const endless = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(new Uint8Array(60_000)) })
    const never = { fetch: async () => new Promise<Response>(() => undefined), timeout: 100 }
    expect((await refusal(providerFetch('https://x.example', never))).code).toBe('IPGUARD_PROVIDER_TIMEOUT')
    const slow = { fetch: async () => new Response(forever), timeout: 100 }
    expect((await refusal(providerFetch('https://x.example', slow))).code).toBe('IPGUARD_PROVIDER_TIMEOUT')
    const long = { fetch: async () => new Response(endless) }
    expect((await refusal(providerFetch('https://x.example', long))).code).toBe('IPGUARD_PROVIDER_ANSWER')
    const redirected = {
      fetch: async () => new Response(null, { status: 302, headers: { location: 'https://y.example' } }),
    }
    expect((await refusal(providerFetch('https://x.example', redirected))).code).toBe('IPGUARD_PROVIDER_FAILED')
  })

  it('lets go what an aborted fetch brings later', async () => {
    let cancelled: unknown = 'nothing'
    let answer: (response: Response) => void = () => undefined
    const fetch = async (): Promise<Response> => new Promise((resolve) => (answer = resolve))
    const controller = new AbortController()
    const failed = refusal(providerFetch('https://x.example', { fetch, signal: controller.signal }))
    await new Promise(setImmediate)
    controller.abort()
    await failed
    const cancelling = new Promise<void>((resolve) => {
      answer(
        new Response(
          new ReadableStream({
            cancel(reason) {
              cancelled = reason
              resolve()
            },
          }),
        ),
      )
    })
    await cancelling
    expect(cancelled).toBe(undefined)
  })

  it('says who could not be asked and why, and nothing of the URL or the cause', async () => {
    const key = 'k+e/y=Zm9v'
    const leak = Object.assign(new TypeError(`fetch of https://x.example/?key=${key} failed`), {
      cause: Object.assign(new Error(key), { code: 'ECONNRESET' }),
    })
    const fetch = async (): Promise<Response> => Promise.reject(leak)
    const error = await refusal(providerFetch(`https://x.example/?key=${key}`, { fetch, secrets: [key] }))
    expect([error.message, error.cause]).toEqual(['x.example could not be asked (ECONNRESET).', undefined])
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('Zm9v')
    const named = await refusal(providerFetch('https://k1234.x.example/', { fetch, secrets: ['k1234'] }))
    expect(named.message).toBe('[redacted].x.example could not be asked (ECONNRESET).')
  })

  it.each(['ftp://x.example', 'file:///etc/passwd', 'https://user:hunter2@x.example', 'nowhere', ''])(
    'does not ask %j, and does not repeat it',
    async (url) => {
      const error = await refusal(providerFetch(url))
      expect(error.code).toBe('IPGUARD_OPTION_INVALID')
      expect(error.message).not.toContain('hunter2')
    },
  )

  it('says of HTML that it is HTML, and quotes nothing', async () => {
    const { url } = await serve((_, response) => response.end('<html>secret</html>'))
    const answer = await providerFetch(url)
    expect(() => answer.json()).toThrow(`${new URL(url).host} answered with HTML.`)
  })

  it('keeps no process alive once it has its answer', async () => {
    const { url } = await serve((_, response) => response.writeHead(200, { 'keep-alive': 'timeout=600' }).end('done'))
    const args = [
      '--conditions=@ipguard/source',
      '--no-warnings',
      join(import.meta.dirname, 'provider-fetch.child.ts'),
      url,
    ]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    // The server keeps its side open; a child that waits for anything is ended, and that shows.
    const limit = setTimeout(() => child.kill('SIGKILL'), 20_000)
    const [code] = await once(child, 'exit')
    clearTimeout(limit)
    expect([out, code]).toEqual(['200 done', 0])
  })
})

describe('redirects', () => {
  const to = (location: string) => (_: IncomingMessage, response: ServerResponse) =>
    response.writeHead(302, { location }).end('moved')

  it.each([301, 302, 303, 307, 308, 300])(
    '%i is an error when none is allowed, and is not followed',
    async (status) => {
      const target = await serve((_, response) => response.end('{}'))
      const { url } = await serve((_, response) => response.writeHead(status, { location: target.url }).end())
      expect((await refusal(providerFetch(url))).code).toBe('IPGUARD_PROVIDER_FAILED')
      expect(target.requests.length).toBe(0)
    },
  )

  it('304 is an answer', async () => {
    const { url } = await serve((_, response) => response.writeHead(304).end())
    expect((await providerFetch(url)).status).toBe(304)
  })

  it('are followed as often as they may', async () => {
    const { url, requests } = await serve((request, response) => {
      const step = Number(request.url?.slice(1))
      if (step < 3) response.writeHead(302, { location: `/${step + 1}` }).end()
      else response.end('"there"')
    })
    expect((await providerFetch(`${url}/0`, { redirects: 3 })).json()).toBe('there')
    expect(requests.length).toBe(4)
    expect((await refusal(providerFetch(`${url}/0`, { redirects: 2 }))).code).toBe('IPGUARD_PROVIDER_FAILED')
  })

  it('keep the headers on one origin, and take none of them to another', async () => {
    const other = await serve((_, response) => response.end('"other"'))
    const first = await serve((request, response) =>
      to(request.url === '/a' ? '/b' : `${other.url}/c`)(request, response),
    )
    const headers = { authorization: 'Bearer k', 'x-key': 'k', 'if-none-match': '"1"' }
    expect((await providerFetch(`${first.url}/a`, { headers, redirects: 2 })).json()).toBe('other')
    expect(first.requests.map((request) => request.headers['x-key'])).toEqual(['k', 'k'])
    expect(other.requests[0]?.headers).toMatchObject({ 'if-none-match': '"1"', accept: 'application/json' })
    expect(['authorization', 'x-key'].filter((name) => name in (other.requests[0]?.headers ?? {}))).toEqual([])
  })

  it.each([
    ['http://y.example/', 'GET'],
    ['ftp://y.example/', 'GET'],
    ['https://user:pass@y.example/', 'GET'],
    ['https://127.0.0.1/', 'GET'],
    ['https://localhost/', 'GET'],
    ['https://10.0.0.1/', 'GET'],
    ['https://[::1]/', 'GET'],
    ['https://[::ffff:10.0.0.1]/', 'GET'],
    ['https://169.254.169.254/latest', 'GET'],
    ['https://', 'GET'],
    ['https://y.example/', 'POST'],
  ])('from outside to %s by %s are not followed', async (location, method) => {
    const asked: string[] = []
    const fetch: typeof globalThis.fetch = async (input) => {
      asked.push(input as string)
      return new Response(null, { status: 302, headers: { location } })
    }
    const error = await refusal(providerFetch('https://x.example/', { fetch, method, redirects: 3 }))
    expect([error.code, asked]).toEqual(['IPGUARD_PROVIDER_FAILED', ['https://x.example/']])
  })

  it('to https elsewhere are followed', async () => {
    const fetch: typeof globalThis.fetch = async (input) =>
      input === 'https://x.example/'
        ? new Response(null, { status: 302, headers: { location: 'https://y.example/list' } })
        : new Response(input as string)
    expect((await providerFetch('https://x.example/', { fetch, redirects: 1 })).text).toBe('https://y.example/list')
  })
})

describe('providerStream', () => {
  it('answers before the body has come, and with all of it', async () => {
    let finish: () => void = () => undefined
    const { url } = await serve((_, response) => {
      response.write('first ')
      finish = () => response.end('last')
    })
    const { status, body } = await providerStream(url, { maxBytes: 1_000 })
    let text = ''
    for await (const chunk of body) {
      text += Buffer.from(chunk).toString()
      finish()
    }
    expect([status, text]).toEqual([200, 'first last'])
  })

  it('holds the cap and the deadline while it is read', async () => {
    const { url } = await serve((request, response) => {
      response.write('x'.repeat(500))
      if (request.url === '/long') response.end('x'.repeat(501))
    })
    expect((await refusal(read(`${url}/long`, { maxBytes: 1_000 }))).code).toBe('IPGUARD_PROVIDER_ANSWER')
    expect((await refusal(read(url, { maxBytes: 1_000, timeout: 150 }))).code).toBe('IPGUARD_PROVIDER_TIMEOUT')
  })

  it('gives the connection up when its reader stops', async () => {
    const left: Promise<unknown>[] = []
    const { url } = await serve((_, response) => {
      left.push(once(response, 'close'))
      response.write('x')
    })
    const { body } = await providerStream(url, { maxBytes: 1_000 })
    for await (const _ of body) break
    await Promise.all(left)
    expect(left.length).toBe(1)
  })

  it('gives the connection up by the deadline when nobody reads', async () => {
    const left: Promise<unknown>[] = []
    const { url } = await serve((_, response) => {
      left.push(once(response, 'close'))
      response.write('x')
    })
    await providerStream(url, { maxBytes: 1_000, timeout: 150 })
    await Promise.all(left)
    expect(left.length).toBe(1)
  })
})
