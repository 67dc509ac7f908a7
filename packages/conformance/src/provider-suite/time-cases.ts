import { lookup, within } from './provider-kit.ts'
import type { ProviderCase } from './provider-suite.ts'
import { writeAnswer } from './stand-in.ts'

/** For what has to end by a deadline: short, and long enough for a connection on a loaded machine. */
const SHORT = 250

/** An abort is heard at once, not at some deadline; with room for a loaded machine. */
const AT_ONCE = 2_000

export const timeCases: readonly ProviderCase[] = [
  {
    name: 'time: aborted before it began, a look-up rejects and asks nobody',
    needs: 'network',
    async run({ expect, addresses, create, asked, failure }) {
      const provider = await create()
      const { error } = await failure(lookup(provider, addresses.listed, AbortSignal.abort()))
      expect([error !== undefined, asked().length]).toEqual([true, 0])
    },
  },
  {
    name: 'time: aborted while the source is silent, a look-up rejects at once',
    needs: 'network',
    async run({ expect, addresses, create, failure }) {
      const provider = await create({ state: 'silent' })
      const controller = new AbortController()
      const failed = failure(lookup(provider, addresses.listed, controller.signal))
      controller.abort()
      expect((await within(failed, 'The aborted look-up', AT_ONCE)).error !== undefined).toBe(true)
    },
  },
  {
    name: 'time: aborted after the request was sent, it is given up, and others go on',
    needs: 'http',
    async run({ expect, addresses, create, failure, standIn, http }) {
      const provider = await create()
      const open: (() => void)[] = []
      standIn.behave((_, response) => void open.push(() => writeAnswer(response, http.listed(addresses.listed))))
      const controller = new AbortController()
      const failed = failure(lookup(provider, addresses.listed, controller.signal))
      await within(standIn.asked(1), 'The first request')
      const other = lookup(provider, addresses.listed)
      await within(standIn.asked(2), 'The second request')
      controller.abort()
      expect((await within(failed, 'The aborted look-up', AT_ONCE)).error !== undefined).toBe(true)
      await within(standIn.left(1), 'Giving up the request')
      open[1]?.()
      expect((await within(other, 'The other look-up')) !== undefined).toBe(true)
    },
  },
  {
    name: 'time: a silent source ends with IPGUARD_PROVIDER_TIMEOUT by the deadline',
    needs: 'network',
    async run({ expect, addresses, create, failure }) {
      const provider = await create({ state: 'silent', timeout: SHORT })
      expect((await failure(lookup(provider, addresses.listed))).code).toBe('IPGUARD_PROVIDER_TIMEOUT')
    },
  },
  {
    name: 'time: a body that drips for ever ends by the deadline, which was one from the start',
    needs: 'http',
    async run({ expect, addresses, create, failure, standIn }) {
      const provider = await create({ timeout: SHORT })
      const drips = new Set<ReturnType<typeof setInterval>>()
      standIn.behave((_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        const drip = setInterval(() => response.write(' '), SHORT / 10)
        drips.add(drip)
        response.on('close', () => clearInterval(drip))
      })
      try {
        expect((await failure(lookup(provider, addresses.listed))).code).toBe('IPGUARD_PROVIDER_TIMEOUT')
        await within(standIn.left(1), 'Giving up the request')
      } finally {
        for (const drip of drips) clearInterval(drip)
      }
    },
  },
]
