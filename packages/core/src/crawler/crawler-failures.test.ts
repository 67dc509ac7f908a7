import { describe, expect, test } from 'vitest'
import { CRAWLER, crawlerScene, GOOGLEBOT, NAME, OTHER } from '../../test/crawler-scene.ts'
import { crawlerZone } from '../../test/fake-dns.ts'
import { turn } from '../../test/hand-clock.ts'
import { parseAddress } from '../ip/address.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('a look-up that fails', () => {
  const BROKEN = new Error('queryPtr ESERVFAIL')

  test('is tried three times within its time, and the crawler is spared as long', async () => {
    const { ask, dns, clock } = crawlerScene({}, { [CRAWLER]: BROKEN })
    ask(CRAWLER, GOOGLEBOT)
    await turn()
    clock.advance(250)
    await turn()
    expect(ask(CRAWLER, GOOGLEBOT).action).toBe('allow')
    clock.advance(500)
    await turn()
    expect(dns.asked).toEqual([CRAWLER, CRAWLER, CRAWLER])
    expect(ask(CRAWLER, GOOGLEBOT)).toMatchObject({ action: 'deny', degraded: ['verified-crawlers'] })
    expect(ask(CRAWLER).degraded).toBeUndefined()
    expect(clock.pending()).toBe(0)
  })

  test('succeeds at the second try', async () => {
    const { ask, dns, clock, rule } = crawlerScene({}, { [CRAWLER]: BROKEN, [NAME]: [CRAWLER] })
    ask(CRAWLER, GOOGLEBOT)
    await turn()
    dns.zone.set(CRAWLER, [NAME])
    clock.advance(250)
    await turn()
    expect(rule.status()).toMatchObject({ verified: 1, failed: 0 })
  })

  test('is repeated after a minute, then two, then four, up to the time of a refusal', async () => {
    const { ask, dns, clock } = crawlerScene()
    dns.hold(true)
    for (const wait of [60, 120, 240, 480, 960, 1_920, 3_600, 3_600]) {
      expect(ask(OTHER, GOOGLEBOT).action).toBe('allow')
      clock.advance(2_000)
      expect(ask(OTHER, GOOGLEBOT).action).toBe('deny')
      // The failure was noted by the time of the last request before it: two seconds ago.
      clock.advance(wait * 1_000 - 2_001)
      expect(ask(OTHER, GOOGLEBOT).action).toBe('deny')
      clock.advance(1)
    }
    expect(dns.asked).toHaveLength(8)
  })

  test('leaves a crawler that was verified before in peace for seven days', async () => {
    const { ask, dns, clock, rule } = crawlerScene()
    ask(CRAWLER, GOOGLEBOT)
    await turn()
    dns.hold(true)
    for (let day = 1; day <= 7; day++) {
      clock.advance(DAY)
      expect(ask(CRAWLER).action).toBe('allow')
      clock.advance(2_000)
      await turn()
    }
    expect(dns.asked.length).toBeGreaterThan(5)
    clock.advance(DAY - 14_001)
    expect(ask(CRAWLER).action).toBe('allow')
    // The look-up that this request has started is the last one that spares it.
    clock.advance(2_000)
    expect(ask(CRAWLER).action).toBe('deny')
    expect(rule.knows(parseAddress(CRAWLER)!)).toBe(false)
  })
})

describe('an answer that comes after its time', () => {
  test('proves nothing, also from a resolver that heeds no signal, and leaves room for others', async () => {
    const answers: ((addresses: readonly string[]) => void)[] = []
    const { ask, clock, rule, events } = crawlerScene({
      dns: {
        reverse: async () => [NAME],
        addresses: () => new Promise((resolve) => void answers.push(resolve)),
      },
    })
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 32; i++) ask(`9.${round}.0.${i}`, GOOGLEBOT)
      await turn()
      // Each round gets all the places of the one before it.
      expect(answers).toHaveLength(32 * (round + 1))
      clock.advance(2_000)
      for (const answer of answers) answer([CRAWLER, ...Array.from({ length: 32 }, (_, i) => `9.${round}.0.${i}`)])
      await turn()
    }
    expect(rule.status()).toMatchObject({ verified: 0, pending: 0, failed: 96 })
    expect(events).toEqual([])
    for (let i = 0; i < 64; i++) ask(`9.9.0.${i}`, GOOGLEBOT)
    await turn()
    expect(answers).toHaveLength(96 + 32)
  })
})

describe('a verified crawler', () => {
  test('is verified anew after a day, and spared meanwhile', async () => {
    const { ask, dns, clock } = crawlerScene()
    ask(CRAWLER, GOOGLEBOT)
    await turn()
    clock.advance(DAY - 1)
    ask(CRAWLER)
    expect(dns.asked).toHaveLength(1)
    clock.advance(1)
    dns.hold(true)
    expect(ask(CRAWLER).action).toBe('allow')
    expect(ask(CRAWLER).action).toBe('allow')
    expect(dns.asked).toHaveLength(2)
    dns.hold(false)
    await turn()
    clock.advance(DAY - 1)
    expect(ask(CRAWLER).action).toBe('allow')
    expect(dns.asked).toHaveLength(2)
  })

  test('whose name is gone is spared no more', async () => {
    const { ask, dns, clock, events } = crawlerScene()
    ask(CRAWLER, GOOGLEBOT)
    await turn()
    dns.zone.delete(CRAWLER)
    clock.advance(DAY)
    expect(ask(CRAWLER).action).toBe('allow')
    await turn()
    expect(ask(CRAWLER, GOOGLEBOT).action).toBe('deny')
    expect(events.at(-1)).toEqual({ ip: CRAWLER, crawler: 'google', verified: false })
  })

  test('is known, for reports, only as long as it is verified', async () => {
    const { ask, rule, dns } = crawlerScene()
    const address = parseAddress(CRAWLER)!
    expect(rule.knows(address)).toBe(false)
    dns.hold(true)
    ask(CRAWLER, GOOGLEBOT)
    expect(rule.knows(address)).toBe(false)
    dns.hold(false)
    await turn()
    expect(rule.knows(address)).toBe(true)
    expect(rule.knows(parseAddress(OTHER)!)).toBe(false)
  })
})

describe('what a crowd of forged claims can bring about is bounded', () => {
  test('32 look-ups at once, 256 in all, and the rest is not spared', async () => {
    const { ask, dns, rule, warnings, clock } = crawlerScene()
    dns.hold(true)
    const actions = Array.from({ length: 300 }, (_, i) => ask(`9.1.${i >> 8}.${i & 255}`, GOOGLEBOT).action)
    expect(actions.filter((action) => action === 'allow')).toHaveLength(256)
    expect(actions.slice(256).every((action) => action === 'deny')).toBe(true)
    expect(dns.asked).toHaveLength(32)
    expect(rule.status()).toMatchObject({ pending: 256, dropped: 44 })
    expect(warnings).toEqual(['IPGUARD_LOOKUPS_DROPPED'])
    dns.hold(false)
    await turn()
    await turn()
    for (let i = 0; i < 100 && rule.status().pending > 0; i++) await turn()
    expect(rule.status()).toMatchObject({ pending: 0, unverified: 256 })
    expect(clock.pending()).toBe(0)
  })

  test('those that wait are given up by the same deadline', () => {
    const { ask, dns, rule, clock } = crawlerScene()
    dns.hold(true)
    for (let i = 0; i < 100; i++) ask(`9.1.0.${i}`, GOOGLEBOT)
    clock.advance(2_000)
    expect(rule.status()).toMatchObject({ pending: 0, failed: 100 })
    expect(clock.pending()).toBe(0)
  })

  test('a client of IPv6 has eight look-ups at a time', () => {
    const { ask, dns, rule } = crawlerScene()
    dns.hold(true)
    const actions = Array.from({ length: 10 }, (_, i) => ask(`2001:4860:1::${i + 1}`, GOOGLEBOT).action)
    expect(actions.filter((action) => action === 'allow')).toHaveLength(8)
    expect(ask('2001:4860:2::1', GOOGLEBOT).action).toBe('allow')
    expect(rule.status()).toMatchObject({ pending: 9, dropped: 2 })
  })

  test('a client of IPv6 that was refuted eight times is not looked up any more, with whatever address', async () => {
    const { ask, dns, clock, twice } = crawlerScene()
    for (let i = 1; i <= 8; i++) expect(await twice(`2001:4860:1::${i}`, GOOGLEBOT)).toEqual(['allow', 'deny'])
    for (let i = 9; i <= 100; i++) expect(ask(`2001:4860:1::${i.toString(16)}`, GOOGLEBOT).action).toBe('deny')
    expect(dns.asked).toHaveLength(8)
    expect(ask('2001:4860:2::1', GOOGLEBOT).action).toBe('allow')
    clock.advance(HOUR)
    expect(ask('2001:4860:1::1', GOOGLEBOT).action).toBe('allow')
  })

  test('but one verified address clears its client', async () => {
    const zone = crawlerZone('2001:4860:1::ff', 'crawl-ff.googlebot.com')
    const { ask, twice } = crawlerScene({}, zone)
    for (let i = 1; i <= 7; i++) await twice(`2001:4860:1::${i}`, GOOGLEBOT)
    expect(await twice('2001:4860:1::ff', GOOGLEBOT)).toEqual(['allow', 'allow'])
    for (let i = 8; i <= 12; i++) {
      expect(ask(`2001:4860:1::${i.toString(16)}`, GOOGLEBOT).action).toBe('allow')
      await turn()
    }
  })

  test('what is remembered, and no claim pushes out a verified address', async () => {
    const { ask, rule, twice, dns } = crawlerScene({ maxAddresses: 10 })
    await twice(CRAWLER, GOOGLEBOT)
    for (let i = 0; i < 50; i++) await twice(`9.1.0.${i}`, GOOGLEBOT)
    expect(rule.status()).toMatchObject({ verified: 1, unverified: 10 })
    expect(ask(CRAWLER).action).toBe('allow')
    for (let i = 1; i <= 20; i++) {
      const [ip, name] = [`66.249.67.${i}`, `crawl-${i}.googlebot.com`]
      dns.zone.set(ip, [name]).set(name, [ip])
      await twice(ip, GOOGLEBOT)
    }
    expect(rule.status()).toMatchObject({ verified: 10, unverified: 10 })
    expect(ask('66.249.67.20').action).toBe('allow')
    expect(ask('66.249.67.10').action).toBe('deny')
  })
})

describe('a runtime without a resolver', () => {
  async function without<T>(run: () => T | Promise<T>): Promise<T> {
    const own = process.getBuiltinModule
    Reflect.set(process, 'getBuiltinModule', undefined)
    try {
      return await run()
    } finally {
      Reflect.set(process, 'getBuiltinModule', own)
    }
  }

  test('spares nobody, and says so once', () =>
    without(() => {
      const { ask, warnings, rule } = crawlerScene({ servers: ['192.0.2.53'] })
      expect(ask(CRAWLER, GOOGLEBOT)).toMatchObject({ action: 'deny', degraded: ['verified-crawlers'] })
      expect(ask(CRAWLER, GOOGLEBOT).action).toBe('deny')
      expect(warnings).toEqual(['IPGUARD_DNS_MISSING'])
      expect(rule.status()).toMatchObject({ pending: 0, failed: 0 })
    }))

  test('spares by ranges, and has nothing to say then', () =>
    without(() => {
      const { ask, warnings } = crawlerScene({ servers: ['192.0.2.53'], ranges: { googlebot: ['66.249.64.0/19'] } })
      expect(ask(CRAWLER, GOOGLEBOT).action).toBe('allow')
      expect(ask(OTHER, GOOGLEBOT).action).toBe('deny')
      expect(warnings).toEqual([])
    }))
})
