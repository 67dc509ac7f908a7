import { lookup, type ProviderKit, within } from './provider-kit.ts'
import type { ProviderCase } from './provider-suite.ts'
import { type StandInAnswer, startStandIn, writeAnswer } from './stand-in.ts'

/** The code and the wait that a look-up ends with when the source answers so. */
async function outcome(kit: ProviderKit, answer: StandInAnswer): Promise<readonly [code: unknown, wait: unknown]> {
  const provider = await kit.create()
  kit.standIn.behave((_, response) => writeAnswer(response, answer))
  const { code, retryAfter } = await kit.failure(lookup(provider, kit.addresses.listed))
  return [code, retryAfter]
}

const SORRY = { errors: [{ detail: 'sorry' }] }

export const statusCases: readonly ProviderCase[] = [
  {
    name: 'status: a source that cannot be reached is IPGUARD_PROVIDER_FAILED, and never "not listed"',
    needs: 'network',
    async run({ expect, addresses, create, failure }) {
      for (const ip of [addresses.listed, addresses.unlisted]) {
        expect((await failure(lookup(await create({ state: 'failing' }), ip))).code).toBe('IPGUARD_PROVIDER_FAILED')
      }
    },
  },
  {
    name: 'status: a refused connection is IPGUARD_PROVIDER_FAILED',
    needs: 'http',
    async run({ expect, addresses, create, failure }) {
      const gone = await startStandIn(() => undefined)
      await gone.close()
      const provider = await create({ baseUrl: gone.url })
      expect((await failure(lookup(provider, addresses.listed))).code).toBe('IPGUARD_PROVIDER_FAILED')
    },
  },
  {
    name: 'status: 429 is IPGUARD_PROVIDER_QUOTA, and Retry-After in seconds is the wait in ms',
    needs: 'http',
    async run(kit) {
      const headers = { 'retry-after': '120' }
      kit.expect(await outcome(kit, { status: 429, headers, body: SORRY })).toEqual(['IPGUARD_PROVIDER_QUOTA', 120_000])
    },
  },
  {
    name: 'status: Retry-After as a date is the wait in ms',
    needs: 'http',
    async run(kit) {
      const headers = { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }
      const [code, wait] = await outcome(kit, { status: 429, headers, body: SORRY })
      kit.expect([code, Math.round(Number(wait) / 60_000)]).toEqual(['IPGUARD_PROVIDER_QUOTA', 60])
    },
  },
  {
    name: 'status: a used-up quota and a refusal in the own words of the source are told apart',
    needs: 'http',
    async run(kit) {
      const { quota, refused } = kit.http
      const codes = []
      for (const answer of [quota, refused]) codes.push(answer && (await outcome(kit, answer))[0])
      kit.expect(codes).toEqual([quota && 'IPGUARD_PROVIDER_QUOTA', refused && 'IPGUARD_PROVIDER_REFUSED'])
    },
  },
  {
    name: 'status: 500, 502 and 503 are IPGUARD_PROVIDER_FAILED, whatever the body says',
    needs: 'http',
    async run(kit) {
      const { body } = kit.http.unlisted(kit.addresses.listed)
      for (const status of [500, 502, 503]) {
        kit.expect((await outcome(kit, { status, body }))[0]).toBe('IPGUARD_PROVIDER_FAILED')
      }
    },
  },
  {
    name: 'status: a redirect is not followed',
    needs: 'http',
    async run({ expect, addresses, create, failure, standIn, http }) {
      const provider = await create()
      const elsewhere = await startStandIn((_, response) => writeAnswer(response, http.unlisted(addresses.listed)))
      try {
        const codes = []
        for (const status of [301, 302, 303, 307, 308]) {
          const headers = { location: `${elsewhere.url}/?ip=${addresses.listed}` }
          standIn.behave((_, response) => writeAnswer(response, { status, headers, body: '' }))
          codes.push((await failure(lookup(provider, addresses.listed))).code)
        }
        expect([new Set(codes).size, codes[0], elsewhere.requests.length]).toEqual([1, 'IPGUARD_PROVIDER_FAILED', 0])
      } finally {
        await within(elsewhere.close(), 'Closing')
      }
    },
  },
]
