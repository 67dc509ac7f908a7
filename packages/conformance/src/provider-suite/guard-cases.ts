import { createGuard, type Provider, reputation } from '@ipguard/core'
import { within } from './provider-kit.ts'
import type { ProviderCase } from './provider-suite.ts'

/** One of each kind that is not ordinary: private, local, shared, documentation, multicast, translated, none. */
const SPECIAL = [
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '127.0.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '203.0.113.7',
  '224.0.0.1',
  '0.0.0.0',
  '255.255.255.255',
  '::1',
  '::',
  'fe80::1',
  'fd00::1',
  '2001:db8::1',
  'ff02::1',
  '::ffff:10.1.2.3',
  '64:ff9b::a01:203',
]

const SECRET = 'canary-of-a-visitor'

/** The provider as a guard gets it, and the addresses that it was asked for. */
function watched(provider: Provider): { readonly provider: Provider; readonly calls: readonly string[] } {
  const calls: string[] = []
  const lookup: Provider['lookup'] = (ip, context) => {
    calls.push(ip)
    return provider.lookup(ip, context)
  }
  // The suite closes it, when the case ends.
  return { provider: { ...provider, lookup, close: () => undefined }, calls }
}

/** Asks a guard that waits for the provider; answers what the provider was asked. */
async function ask(inner: Provider, peers: readonly string[]): Promise<readonly string[]> {
  const { provider, calls } = watched(inner)
  const guard = createGuard({ deadline: '30s', policies: [reputation({ providers: [provider], wait: true, deny: 1 })] })
  try {
    for (const peer of peers) {
      const headers = new Headers({ cookie: SECRET, authorization: SECRET, referer: `https://x.example/${SECRET}` })
      headers.set('x-forwarded-for', SECRET)
      const request = { method: 'GET', url: `/${SECRET}?token=${SECRET}`, headers }
      await within(Promise.resolve(guard.check(request, { peer })), 'A decision')
    }
  } finally {
    await guard.close()
  }
  return calls
}

export const guardCases: readonly ProviderCase[] = [
  {
    name: 'guard: private and other special addresses are never sent out',
    needs: 'network',
    async run({ expect, addresses, create, asked }) {
      const provider = await create()
      expect(await ask(provider, SPECIAL)).toEqual([])
      expect(asked()).toEqual([])
      expect(await ask(provider, [addresses.listed])).toEqual([addresses.listed])
    },
  },
  {
    name: 'guard: nothing of a request reaches the source but the address',
    needs: 'http',
    async run({ expect, addresses, create, standIn }) {
      await ask(await create(), [addresses.listed, `::ffff:${addresses.unlisted}`])
      expect(standIn.requests.length).toBe(2)
      expect(standIn.requests.filter((request) => JSON.stringify(request).includes(SECRET))).toEqual([])
      expect(standIn.requests.filter(({ text }) => text.includes('::ffff'))).toEqual([])
    },
  },
]
