import { allow, type Decision, type GuardOptions } from '@ipguard/core'
import { clientAddressVectors } from '../client-address/client-address-vectors.ts'
import type { ClientAddressVector } from '../client-address/vector.ts'
import type { AdapterCase, AdapterKit, ServeOptions } from './adapter-case.ts'
import type { SuiteFacts } from './adapter-driver.ts'
import { rawExchange } from './raw-exchange.ts'
import { withoutPeer } from './without-peer.ts'

const FORGED = '6.6.6.6'
const REAL = '203.0.113.9'

/** Headers that some server somewhere takes a client's address from. */
export const forgedHeaders: readonly (readonly [name: string, value: string])[] = [
  ['X-Forwarded-For', FORGED],
  ['X-Forwarded-For', `${FORGED}, 127.0.0.1`],
  ['X-Forwarded-For', '::1'],
  ['X-Forwarded-For', '", for=6.6.6.6'],
  ['x_forwarded_for', FORGED],
  ['Forwarded', `for=${FORGED};by=127.0.0.1`],
  ['Forwarded', `for="${FORGED}`],
  ['X-Forwarded', FORGED],
  ['X-Real-IP', FORGED],
  ['X-Client-IP', FORGED],
  ['Client-IP', FORGED],
  ['X-Originating-IP', FORGED],
  ['X-Remote-IP', FORGED],
  ['X-Remote-Addr', FORGED],
  ['Remote-Addr', FORGED],
  ['X-Host', FORGED],
  ['X-ProxyUser-Ip', FORGED],
  ['X-Cluster-Client-IP', FORGED],
  ['X-Original-Forwarded-For', FORGED],
  ['CF-Connecting-IP', FORGED],
  ['CF-Connecting-IPv6', '2001:db8::6'],
  ['CF-Pseudo-IPv4', FORGED],
  ['True-Client-IP', FORGED],
  ['Fastly-Client-IP', FORGED],
  ['Fly-Client-IP', FORGED],
  ['X-Azure-ClientIP', FORGED],
  ['X-Azure-SocketIP', FORGED],
  ['X-Vercel-Forwarded-For', FORGED],
  ['X-Appengine-User-IP', FORGED],
  ['CloudFront-Viewer-Address', `${FORGED}:443`],
  ['Via', `1.1 ${FORGED}`],
]

export const addressCases: readonly AdapterCase[] = [
  {
    name: 'client: no header changes it, where none is configured',
    needs: ['peer'],
    async run(kit) {
      const asked = await askerOf(kit, {})
      kit.expect(await clientOf(asked, forgedHeaders)).toEqual('127.0.0.1')
      for (const header of forgedHeaders)
        kit.expect([header, await clientOf(asked, [header])]).toEqual([header, '127.0.0.1'])
    },
  },
  {
    name: 'client: no header changes it, where the peer is not a trusted proxy',
    needs: ['peer'],
    async run(kit) {
      const asked = await askerOf(kit, { clientIp: { header: 'x-forwarded-for', trust: ['10.0.0.5'] } })
      kit.expect(await clientOf(asked, forgedHeaders)).toEqual('127.0.0.1')
    },
  },
  {
    name: 'client: the last line of a repeated header is the proxy’s',
    needs: ['peer'],
    async run(kit) {
      const asked = await askerOf(kit, { clientIp: { header: 'x-forwarded-for', trust: ['loopback'] } })
      kit.expect(await clientOf(asked, [...forgedHeaders, ['X-Forwarded-For', REAL]])).toEqual(REAL)
    },
  },
  {
    name: 'client: a flood of header lines does not push out the proxy’s',
    needs: ['peer'],
    async run(kit) {
      const clientIp = { header: 'x-forwarded-for', trust: ['loopback'] } as const
      for (const hops of [1, 2]) {
        const asked = await askerOf(kit, { clientIp: hops === 1 ? clientIp : { ...clientIp, hops } })
        const last = [REAL, '127.0.0.1'].slice(0, hops).join(', ')
        for (const lines of [10, 990, 1000, 1010, 2010]) {
          const flood = Array.from({ length: lines }, () => ['a', ''] as const)
          const found = await clientOf(asked, [['X-Forwarded-For', FORGED], ...flood, ['X-Forwarded-For', last]])
          // Refused by the server, or no client: both are safe.
          const isSafe = found === REAL || found === null || found.startsWith('status 4')
          kit.expect([hops, lines, isSafe]).toEqual([hops, lines, true])
        }
      }
    },
  },
  {
    name: 'client: an IPv4 peer of a dual-stack listener is its IPv4 address',
    needs: ['dualStack'],
    async run(kit) {
      const asked = await askerOf(kit, {}, { host: '::' })
      kit.expect(await clientOf(asked, forgedHeaders)).toEqual('127.0.0.1')
      const clientIp = { header: 'x-real-ip', trust: ['127.0.0.1/32'] } as const
      const trusting = await askerOf(kit, { clientIp }, { host: '::' })
      kit.expect(await clientOf(trusting, [['X-Real-IP', REAL]])).toEqual(REAL)
    },
  },
  {
    name: 'client: each connection is told from the others',
    needs: ['dualStack'],
    async run(kit) {
      const watched = kit.guard({})
      const { server } = await kit.serve([watched], { host: '::' })
      const hosts = ['127.0.0.1', '::1', '127.0.0.1']
      for (const host of hosts) await rawExchange({ ...server, host }, { target: '/hello' })
      kit.expect(watched.decisions.map(({ client }) => client?.ip)).toEqual(hosts)
    },
  },
  {
    name: 'client: a connection without an address is no client, and comes in by no allow list',
    needs: ['peer'],
    async run({ expect, guard, serve }) {
      const options = [{}, { clientIp: { header: 'x-forwarded-for', trust: ['loopback', '10.0.0.0/8'] } }] as const
      for (const option of options) {
        const watched = guard({ ...option, policies: [allow(['0.0.0.0/0', '::/0'])] })
        const { send, reached } = await serve([watched])
        expect((await send('/hello')).status).toEqual(200)
        const { status } = await withoutPeer(() => send({ target: '/hello', headers: forgedHeaders }))
        // Refused, or a server error where the adapter asks for a way to find the peer.
        expect([status >= 400, reached]).toEqual([true, ['/hello']])
        expect(watched.decisions.slice(1).map(({ client }) => client ?? null)).toEqual(status === 403 ? [null] : [])
      }
    },
  },
  ...vectorCases(),
]

/** The client addresses of `client-address/`, sent over HTTP; one case for each group. */
function vectorCases(): readonly AdapterCase[] {
  const groups = new Map<string, ClientAddressVector[]>()
  for (const vector of clientAddressVectors) {
    if (!vector.wire) continue
    const group = vector.name.slice(0, vector.name.indexOf(': '))
    groups.set(group, [...(groups.get(group) ?? []), vector])
  }
  return [...groups].map(([group, vectors]) => ({
    name: `client over HTTP: ${group}`,
    needs: ['peer'],
    run: (kit) => runVectors(kit, vectors),
  }))
}

async function runVectors(kit: AdapterKit, vectors: readonly ClientAddressVector[]): Promise<void> {
  const askers = new Map<string, Asker>()
  for (const { name, options, ipv6Prefix, headers, expect: wanted } of vectors) {
    const key = JSON.stringify([options, ipv6Prefix])
    // The data is written without core's types; options that core refuses fail here.
    const clientIp = options as NonNullable<GuardOptions['clientIp']>
    const asked =
      askers.get(key) ??
      (await askerOf(kit, { clientIp, onUnknownClient: 'evaluate', ...(ipv6Prefix !== undefined && { ipv6Prefix }) }))
    askers.set(key, asked)
    const decided = await asked(headers)
    const client = typeof decided === 'string' ? undefined : decided.client
    const found = client && {
      ip: client.ip,
      ...(wanted?.key && { key: client.key }),
      ...(wanted?.rule && { rule: client.via.rule }),
    }
    kit.expect([name, typeof decided === 'string' ? decided : (found ?? null)]).toEqual([name, wanted])
  }
}

type HeaderLines = readonly (readonly [name: string, value: string])[]

/** What is decided on a request with these headers; the status, where nothing is. */
type Asker = (headers: HeaderLines) => Promise<Decision | string>

/** Told by the guard, not by a handler: an adapter need not hand decisions on. */
async function askerOf(
  { guard, serve }: AdapterKit,
  guardOptions: Partial<GuardOptions<SuiteFacts>>,
  options?: ServeOptions,
): Promise<Asker> {
  const watched = guard(guardOptions)
  const { decisions } = watched
  const { send } = await serve([watched], options)
  return async (headers) => {
    const before = decisions.length
    const { status } = await send({ target: '/hello', headers })
    const decision = decisions.at(-1)
    return decision && decisions.length > before ? decision : `status ${status}`
  }
}

async function clientOf(asked: Asker, headers: HeaderLines): Promise<string | null> {
  const decided = await asked(headers)
  return typeof decided === 'string' ? decided : (decided.client?.ip ?? null)
}
