import { CATEGORIES, type Verdict } from '@ipguard/core'
import { allOf, lookup, mentions, within } from './provider-kit.ts'
import type { ProviderCase } from './provider-suite.ts'
import { writeAnswer } from './stand-in.ts'

/** What of a verdict is not as the interface says. */
function problems(verdict: Verdict | undefined): readonly string[] {
  if (verdict === undefined) return ['there is none']
  const { score, confidence, categories = [] } = verdict
  const known: ReadonlySet<string> = new Set(CATEGORIES)
  return [
    score >= 0 && score <= 100 ? '' : `its score is ${score}`,
    score > 0 || categories.length > 0 ? '' : 'it says nothing bad',
    confidence === undefined || (confidence >= 0 && confidence <= 1) ? '' : `its confidence is ${confidence}`,
    ...categories.filter((each) => !known.has(each)).map((each) => `${each} is no category`),
  ].filter((problem) => problem !== '')
}

/** Headers that would give away something of the visitor. */
const GIVE_AWAY = ['cookie', 'referer', 'forwarded', 'x-forwarded-for', 'x-real-ip', 'origin', 'via']

export const answerCases: readonly ProviderCase[] = [
  {
    name: 'answer: an address that is known has a verdict, with everything in its range',
    async run({ expect, addresses, create }) {
      expect(problems(await lookup(await create(), addresses.listed))).toEqual([])
    },
  },
  {
    name: 'answer: an address that is not listed has none',
    async run({ expect, addresses, create }) {
      expect(await lookup(await create(), addresses.unlisted)).toBe(undefined)
    },
  },
  {
    name: 'answer: IPv6 is looked up, or said not to be supported',
    async run({ expect, addresses, create }) {
      const provider = await create()
      if (provider.supports?.(addresses.ipv6) === false) return
      expect(problems(await lookup(provider, addresses.ipv6))).toEqual([])
    },
  },
  {
    name: 'answer: its name can stand in decisions and stores',
    async run({ expect, create }) {
      expect(/^[\w.-]{1,64}$/.test((await create()).name)).toBe(true)
    },
  },
  {
    name: 'answer: look-ups at the same time do not mix',
    async run({ expect, addresses: { listed, unlisted }, create }) {
      const provider = await create()
      const asked = Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? unlisted : listed))
      const answers = await within(
        Promise.all(asked.map(async (ip) => (await lookup(provider, ip)) !== undefined)),
        'Twenty look-ups',
      )
      expect(answers).toEqual(asked.map((ip) => ip === listed))
    },
  },
  {
    name: 'request: carries the address, as it was given, and nothing of a visitor',
    needs: 'http',
    async run({ expect, addresses, create, standIn }) {
      const provider = await create()
      const asked = allOf(addresses).filter((ip) => provider.supports?.(ip) !== false)
      for (const ip of asked) await lookup(provider, ip)
      expect(standIn.requests.length).toBe(asked.length)
      for (const [i, { headers, text }] of standIn.requests.entries()) {
        expect(allOf(addresses).filter((ip) => mentions(text, ip))).toEqual([asked[i]])
        expect(GIVE_AWAY.filter((name) => name in headers)).toEqual([])
      }
    },
  },
  {
    name: 'request: answers that come in another order reach those who asked for them',
    needs: 'http',
    async run({ expect, addresses: { listed, unlisted }, create, standIn, http }) {
      const held: (() => void)[] = []
      const provider = await create()
      standIn.behave(({ text }, response) => {
        const answer = mentions(text, listed) ? http.listed(listed) : http.unlisted(unlisted)
        held.push(() => writeAnswer(response, answer))
      })
      const first = lookup(provider, listed)
      await within(standIn.asked(1), 'The first request')
      const second = lookup(provider, unlisted)
      await within(standIn.asked(2), 'The second request')
      held[1]?.()
      expect(await within(second, 'The second look-up')).toBe(undefined)
      held[0]?.()
      expect(problems(await within(first, 'The first look-up'))).toEqual([])
    },
  },
]
