import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { CRAWLER, crawlerScene, FEED, GOOGLEBOT, NAME, OTHER } from '../../test/crawler-scene.ts'
import { crawlerZone, fakeDns } from '../../test/fake-dns.ts'
import { handClock, turn } from '../../test/hand-clock.ts'
import { request } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import type { Decision } from '../policy/decision.ts'
import { deny } from '../policy/lists.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { verifiedCrawlers } from './verified-crawlers.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('what wins over it', () => {
  test('a ban and a denied entry, by hand', async () => {
    const { guard, ask, twice } = crawlerScene({ ranges: { mine: ['9.0.0.1'] } })
    await twice(CRAWLER, GOOGLEBOT)
    await guard.ban(CRAWLER, { for: '1h' })
    await guard.deny('9.0.0.1')
    expect(ask(CRAWLER, GOOGLEBOT)).toMatchObject({ action: 'deny', reason: 'banned' })
    expect(ask('9.0.0.1')).toMatchObject({ action: 'deny', policy: 'entries' })
  })

  test('every policy that was not given the rule: a limit still applies', async () => {
    const dns = fakeDns(crawlerZone(CRAWLER, NAME))
    const rule = verifiedCrawlers({ dns })
    const except = [rule]
    const guard = createGuard({
      store: memoryStore(),
      policies: [
        deny(FEED, { except }),
        rateLimit({ limit: 2, window: '60s' }),
        deny(['66.249.66.0/24'], { name: 'mine' }),
      ],
    })
    const ask = (): unknown =>
      guard.check(request({ headers: new Headers({ 'user-agent': GOOGLEBOT }) }), { peer: CRAWLER })
    expect(ask()).toMatchObject({ action: 'deny', policy: 'mine' })
    const open = createGuard({
      store: memoryStore(),
      policies: [deny(FEED, { except }), rateLimit({ limit: 2, window: '60s' })],
    })
    const actions = [1, 2, 3].map(() =>
      open.check(request({ headers: new Headers({ 'user-agent': GOOGLEBOT }) }), { peer: CRAWLER }),
    )
    expect(actions.map((decision) => (decision as Decision).action)).toEqual(['allow', 'allow', 'limit'])
  })

  test('in the except of a limit it lifts that limit', async () => {
    const rule = verifiedCrawlers({ dns: fakeDns(crawlerZone(CRAWLER, NAME)) })
    const guard = createGuard({
      store: memoryStore(),
      policies: [rateLimit({ limit: 1, window: '60s', except: [rule] })],
    })
    const ask = (ip: string, agent: string): string =>
      (guard.check(request({ headers: new Headers({ 'user-agent': agent }) }), { peer: ip }) as Decision).action
    expect([ask(CRAWLER, GOOGLEBOT), ask(CRAWLER, GOOGLEBOT)]).toEqual(['allow', 'allow'])
    ask(OTHER, GOOGLEBOT)
    await turn()
    expect([ask(CRAWLER, ''), ask(CRAWLER, '')]).toEqual(['allow', 'allow'])
    expect([ask(OTHER, GOOGLEBOT), ask(OTHER, GOOGLEBOT)]).toEqual(['allow', 'limit'])
  })
})

describe('its place in a guard', () => {
  test('status says what would be, and starts nothing', async () => {
    const { guard, dns, rule, twice, clock } = crawlerScene()
    const told = async (ip: string, agent: string): Promise<string> => {
      const asked = request({ headers: new Headers({ 'user-agent': agent }) })
      return (await guard.status(ip, { request: asked })).decision.action
    }
    expect(await told(CRAWLER, GOOGLEBOT)).toBe('allow')
    expect(await told(CRAWLER, 'curl')).toBe('deny')
    expect(dns.asked).toEqual([])
    expect(rule.status()).toMatchObject({ pending: 0 })
    expect(clock.pending()).toBe(0)
    await twice(CRAWLER, GOOGLEBOT)
    await twice(OTHER, GOOGLEBOT)
    expect(await told(CRAWLER, 'curl')).toBe('allow')
    expect(await told(OTHER, GOOGLEBOT)).toBe('deny')
    clock.advance(DAY)
    expect(await told(CRAWLER, 'curl')).toBe('allow')
    expect(dns.asked).toHaveLength(2)
  })

  test('the look-up is handed to the platform, which keeps it alive', async () => {
    const rule = verifiedCrawlers({ dns: fakeDns(crawlerZone(CRAWLER, NAME)) })
    const guard = createGuard({ store: memoryStore(), policies: [deny(FEED, { except: [rule] })] })
    const work: Promise<unknown>[] = []
    const headers = new Headers({ 'user-agent': GOOGLEBOT })
    void guard.check(request({ headers }), { peer: CRAWLER, waitUntil: (each) => work.push(each) })
    expect(work).toHaveLength(1)
    await work[0]
    expect(rule.status()).toMatchObject({ verified: 1, pending: 0 })
  })

  test('one rule serves several guards: what one has learnt the other knows', async () => {
    const dns = fakeDns(crawlerZone(CRAWLER, NAME))
    const rule = verifiedCrawlers({ dns })
    const guards = [0, 1].map(() => createGuard({ store: memoryStore(), policies: [deny(FEED, { except: [rule] })] }))
    const headers = new Headers({ 'user-agent': GOOGLEBOT })
    for (const guard of guards) {
      expect(guard.check(request({ headers }), { peer: CRAWLER })).toMatchObject({ action: 'allow' })
      await turn()
    }
    expect(dns.asked).toEqual([CRAWLER])
  })

  test('a policy in shadow notes what it would have done', async () => {
    const rule = verifiedCrawlers({ dns: fakeDns(crawlerZone(CRAWLER, NAME)) })
    const guard = createGuard({ store: memoryStore(), policies: [deny(FEED, { except: [rule], mode: 'shadow' })] })
    const headers = new Headers({ 'user-agent': GOOGLEBOT })
    const first = guard.check(request({ headers }), { peer: CRAWLER }) as Decision
    expect(first).toMatchObject({ action: 'allow', pending: ['verified-crawlers'] })
    expect(first.shadow).toBeUndefined()
    expect((guard.check(request(), { peer: OTHER }) as Decision).shadow).toHaveLength(1)
  })

  test('a callback that throws is a warning, and the result stands', async () => {
    const { twice, warnings } = crawlerScene({
      onVerified() {
        throw new Error('mine')
      },
    })
    expect(await twice(CRAWLER, GOOGLEBOT)).toEqual(['allow', 'allow'])
    expect(warnings).toEqual(['IPGUARD_LISTENER_FAILED'])
  })

  test('a resolver that throws at once counts as one that failed', async () => {
    const clock = handClock()
    const rule = verifiedCrawlers({
      clock: { after: (ms, call) => clock.after?.(ms, call) ?? (() => {}) },
      dns: {
        reverse() {
          throw new Error('mine')
        },
        addresses: async () => [],
      },
    })
    const guard = createGuard({ store: memoryStore(), clock, policies: [deny(FEED, { except: [rule] })] })
    const headers = new Headers({ 'user-agent': GOOGLEBOT })
    void guard.check(request({ headers }), { peer: CRAWLER })
    clock.advance(2_000)
    expect(rule.status()).toMatchObject({ failed: 1, pending: 0 })
    await turn()
  })
})
