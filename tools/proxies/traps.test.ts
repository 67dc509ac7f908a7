import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runInNewContext } from 'node:vm'
import { rawExchange } from '@ipguard/conformance'
import * as core from '@ipguard/core'
import { caddy, type GuardOptions, haproxy, nginx, resolveClientIp } from '@ipguard/core'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { ConfiguredServer } from '../services/index.ts'
import { before, caddyTo, haproxyTo, nginxTo } from './front.ts'
import { fronts, SOURCE } from './fronts.ts'
import { findProxies } from './proxy-suite.ts'

beforeAll(findProxies, 300_000)

const page = readFileSync(new URL('../../docs/client-address.md', import.meta.url), 'utf8')
/** As it reads when each line has one space for any white space. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
const says = (text: string): boolean => flat(page).includes(flat(text))

it.each(fronts)('docs/client-address.md shows the setting of $name', ({ setting }) => {
  expect(says(setting), setting).toBe(true)
})

const presets = { ...core } // a plain object, for a context
/** Every `clientIp` of the page, in text, tables and examples; `[...]` says that something is left out. */
const settings = [...page.matchAll(/(?:`|= )((?:(\w+)\(|\{ header: )[^`\n]*?[)}])(?=`|\n| \/\/)/g)]
  .filter(([code, , name]) => !code.includes('[...]') && (name === undefined || Object.hasOwn(presets, name)))
  .map(([, code = '']) => code)

it('docs/client-address.md writes no clientIp that is refused', () => {
  for (const code of settings) expect(() => resolveClientIp(runInNewContext(`(${code})`, presets)), code).not.toThrow()
  expect(new Set(settings).size).toBeGreaterThan(30)
})

it('docs/client-address.md links to what is there', () => {
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(
    ([, text = '']) =>
      `#${text
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  )
  const links = [...page.matchAll(/\]\((?!https:)([^)]+)\)/g)].map(([, to = '']) => to)
  const files = readdirSync(new URL('../../docs/errors', import.meta.url)).map((name) => `errors/${name}`)
  expect(links.length).toBeGreaterThan(20)
  expect(links.filter((to) => !headings.includes(to) && !files.includes(to))).toEqual([])
})

it('docs/client-address.md is right that a walk past all of Cloudflare believes its customers’ Workers', () => {
  // The address from which Workers call other sites, by Cloudflare's documentation of CF-Connecting-IP.
  const chain = '6.6.6.6, 2a06:98c0:3600::103, 172.71.0.1'
  const headers = { get: (name: string) => (name === 'x-forwarded-for' ? chain : undefined) }
  const clientOf = resolveClientIp({ header: 'x-forwarded-for', trust: [...core.cloudflare().trust, '10.0.0.6'] })
  expect(clientOf({ method: 'GET', url: '/', headers }, '10.0.0.6')?.ip).toBe('6.6.6.6')
})

type ClientIp = NonNullable<GuardOptions['clientIp']>

interface Trap {
  readonly what: string
  readonly clientIp: ClientIp
  readonly start: (app: number) => Promise<readonly ConfiguredServer[]>
  readonly headers: readonly (readonly [string, string])[]
  /** Whom the caller at 127.0.0.9 is taken for. */
  readonly taken: string
  /** How the page warns of it. */
  readonly warning: string
}

const ONE = ['127.0.0.1/32']
const APPEND = 'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;'
const FORGED = [['X-Forwarded-For', '6.6.6.6']] as const

/** Settings that are wrong, and what they come to: if one is harmless here some day, the page has to change. */
const TRAPS: readonly Trap[] = [
  {
    what: 'nginx that says nothing of X-Forwarded-For passes on what the caller wrote',
    clientIp: nginx({ trust: ONE }),
    start: async (app) => [await nginxTo(app, {})],
    headers: FORGED,
    taken: '6.6.6.6',
    warning: 'Without a `proxy_set_header X-Forwarded-For` line nginx passes on what the caller wrote',
  },
  {
    what: 'HAProxy with if-none keeps what the caller wrote',
    clientIp: haproxy({ trust: ONE }),
    start: async (app) => [await haproxyTo(app, { setting: 'option forwardfor if-none' })],
    headers: FORGED,
    taken: '6.6.6.6',
    warning: '`option forwardfor if-none` keeps what the caller wrote',
  },
  {
    what: 'a caller inside the trusted networks names anybody',
    clientIp: nginx({ trust: ['loopback'] }),
    start: async (app) => [await nginxTo(app, { setting: APPEND })],
    headers: FORGED,
    taken: '6.6.6.6',
    warning: 'whoever is inside the trusted networks can name any client',
  },
  {
    what: 'one hop too many takes what the caller wrote',
    clientIp: { header: 'x-forwarded-for', hops: 2, trust: ONE },
    start: async (app) => [await nginxTo(app, { setting: APPEND })],
    headers: FORGED,
    taken: '6.6.6.6',
    warning: 'One hop too many takes an element that the caller wrote',
  },
  {
    what: 'a header that the proxy does not set is the caller’s',
    clientIp: { header: 'cf-connecting-ip', trust: ONE },
    start: async (app) => [await nginxTo(app, { setting: APPEND })],
    headers: [['CF-Connecting-IP', '6.6.6.6']],
    taken: '6.6.6.6',
    warning: "A header that your proxy does not set is the caller's",
  },
  {
    what: 'of two proxies only the near one is trusted: everybody is the far one',
    clientIp: nginx({ trust: ONE }),
    start: (app) =>
      before(nginxTo(app, { setting: APPEND }), (port) =>
        nginxTo(port, { setting: `${APPEND} proxy_bind 127.0.0.2;` }),
      ),
    headers: FORGED,
    taken: '127.0.0.2',
    warning: 'name both, or everybody is the far one',
  },
  {
    what: 'Caddy obeys the caller’s Connection header, and drops what the proxy before it wrote',
    clientIp: caddy({ trust: ['127.0.0.1/32', '127.0.0.2/32'] }),
    start: (app) =>
      before(caddyTo(app, { setting: 'trusted_proxies 127.0.0.2/32' }), (port) =>
        haproxyTo(port, { setting: 'option forwardfor', server: SOURCE }),
      ),
    headers: [['Connection', 'close, X-Forwarded-For']],
    taken: '127.0.0.2',
    warning: 'the caller is taken for the proxy in front',
  },
]

describe('docs/client-address.md is right that', () => {
  it.each(TRAPS)('$what', async ({ clientIp, start, headers, taken, warning }) => {
    const { port } = await serve(clientIp, start)
    const answer = await rawExchange({ host: '127.0.0.1', port }, { target: '/', headers, from: '127.0.0.9' })
    expect([answer.status, answer.body]).toEqual([200, taken])
    expect(says(warning), warning).toBe(true)
  })

  it.each([
    ['$remote_addr', '127.0.0.9'],
    ['$proxy_protocol_addr', '6.6.6.6'],
  ])('a caller that reaches a port with the PROXY protocol is, by %s, %s', async (variable, taken) => {
    const { port } = await serve(nginx({ trust: ONE }), async (app) => [
      await nginxTo(app, {
        listen: ' proxy_protocol',
        server: 'set_real_ip_from 127.0.0.2;\nreal_ip_header proxy_protocol;',
        setting: `proxy_set_header X-Forwarded-For ${variable};`,
      }),
    ])
    // The first line of the connection is the caller's own.
    const method = 'PROXY TCP4 6.6.6.6 127.0.0.1 1 2\r\nGET'
    const answer = await rawExchange({ host: '127.0.0.1', port }, { method, target: '/', from: '127.0.0.9' })
    expect(answer.body).toBe(taken)
    expect(says('`$proxy_protocol_addr` is whatever the connection says')).toBe(true)
  })
})

/** An application that answers whom it takes the caller for, and what stands before it. */
async function serve(clientIp: ClientIp, start: Trap['start']): Promise<{ readonly port: number }> {
  const clientOf = resolveClientIp(clientIp)
  const app = createServer((req, res) => {
    const lines = (name: string): string | undefined => req.headers[name]?.toString()
    const request = { method: 'GET', url: '/', headers: { get: lines } }
    res.end(clientOf(request, req.socket.remoteAddress)?.ip ?? 'nobody')
  })
  onTestFinished(() => app.close().closeAllConnections())
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
  const proxies = await start((app.address() as AddressInfo).port)
  onTestFinished(async () => {
    for (const proxy of proxies) await proxy.stop()
  })
  return { port: proxies[0]?.port ?? 0 }
}
