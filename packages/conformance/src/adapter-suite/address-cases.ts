import { clientAddressVectors } from '../client-address/client-address-vectors.ts'
import type { ClientAddressVector } from '../client-address/vector.ts'
import type { AdapterCase, AdapterKit, Served } from './adapter-case.ts'

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
    needs: 'peer',
    async run({ expect, guard, serve }) {
      const served = await serve([guard({})])
      expect(await clientOf(served, forgedHeaders)).toEqual('127.0.0.1')
      for (const header of forgedHeaders)
        expect([header, await clientOf(served, [header])]).toEqual([header, '127.0.0.1'])
    },
  },
  {
    name: 'client: no header changes it, where the peer is not a trusted proxy',
    needs: 'peer',
    async run({ expect, guard, serve }) {
      const served = await serve([guard({ clientIp: { header: 'x-forwarded-for', trust: ['10.0.0.5'] } })])
      expect(await clientOf(served, forgedHeaders)).toEqual('127.0.0.1')
    },
  },
  {
    name: 'client: the last line of a repeated header is the proxy’s',
    needs: 'peer',
    async run({ expect, guard, serve }) {
      const served = await serve([guard({ clientIp: { header: 'x-forwarded-for', trust: ['loopback'] } })])
      expect(await clientOf(served, [...forgedHeaders, ['X-Forwarded-For', REAL]])).toEqual(REAL)
    },
  },
  {
    name: 'client: a flood of header lines does not push out the proxy’s',
    needs: 'peer',
    async run({ expect, guard, serve }) {
      const served = await serve([guard({ clientIp: { header: 'x-forwarded-for', trust: ['loopback'] } })])
      for (const lines of [10, 990, 1000, 1010, 2010]) {
        const flood = Array.from({ length: lines }, () => ['a', ''] as const)
        const found = await clientOf(served, [['X-Forwarded-For', FORGED], ...flood, ['X-Forwarded-For', REAL]])
        // Refused by the server, or no client: both are safe.
        expect([lines, found === REAL || found === null || found.startsWith('status 4')]).toEqual([lines, true])
      }
    },
  },
  {
    name: 'client: an IPv4 peer of a dual-stack listener is its IPv4 address',
    needs: 'dualStack',
    async run({ expect, guard, serve }) {
      const served = await serve([guard({})], { host: '::' })
      expect(await clientOf(served, forgedHeaders)).toEqual('127.0.0.1')
      const trusting = await serve([guard({ clientIp: { header: 'x-real-ip', trust: ['127.0.0.1/32'] } })], {
        host: '::',
      })
      expect(await clientOf(trusting, [['X-Real-IP', REAL]])).toEqual(REAL)
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
    needs: 'peer',
    run: (kit) => runVectors(kit, vectors),
  }))
}

async function runVectors(
  { expect, guard, serve }: AdapterKit,
  vectors: readonly ClientAddressVector[],
): Promise<void> {
  const servers = new Map<string, Served>()
  for (const { name, options, ipv6Prefix, headers, expect: wanted } of vectors) {
    const key = JSON.stringify([options, ipv6Prefix])
    // The data is written without core's types; options that core refuses fail here.
    const clientIp = options as NonNullable<Parameters<typeof guard>[0]['clientIp']>
    const served =
      servers.get(key) ??
      (await serve([guard({ clientIp, onUnknownClient: 'evaluate', ...(ipv6Prefix !== undefined && { ipv6Prefix }) })]))
    servers.set(key, served)
    const { body } = await served.send({ target: '/decision', headers })
    const client = parse(body).client
    const found = client && {
      ip: client.ip,
      ...(wanted?.key && { key: client.key }),
      ...(wanted?.rule && { rule: client.via.rule }),
    }
    expect([name, found ?? null]).toEqual([name, wanted])
  }
}

async function clientOf(served: Served, headers: readonly (readonly [string, string])[]): Promise<string | null> {
  const { status, body } = await served.send({ target: '/decision', headers })
  return status === 200 ? (parse(body).client?.ip ?? null) : `status ${status}`
}

interface Told {
  readonly client?: { readonly ip: string; readonly key: string; readonly via: { readonly rule: string } }
}

/** The route `/decision` answers nothing else. */
function parse(body: string): Told {
  return (JSON.parse(body) ?? {}) as Told
}
