import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { request, START, testGuard } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import { allow, deny } from '../policy/lists.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import type { GuardEvents } from './events.ts'

describe('ban and unban', () => {
  test('a ban holds for as long as it says, on the whole /64 of an IPv6 client', async () => {
    const { guard, now, clock } = testGuard([])
    await guard.ban('2001:db8:1:2::9', { for: '1h', reason: 'scraper' })
    expect(now('2001:db8:1:2::1')).toMatchObject({
      action: 'deny',
      policy: 'entries',
      reason: 'banned',
      retryAfter: 3600,
      evidence: [{ kind: 'entry', entry: { cidr: '2001:db8:1:2::/64', reason: 'scraper', by: 'manual' } }],
    })
    expect(now('2001:db8:1:3::1').action).toBe('allow')
    clock.time += 3_600_000
    expect(now('2001:db8:1:2::1').action).toBe('allow')
  })

  test('/128 must be written, and a permanent ban has no end', async () => {
    const { guard, now } = testGuard([])
    await guard.ban('2001:db8::9/128', { for: 'permanent' })
    expect(now('2001:db8::9')).toMatchObject({ action: 'deny', reason: 'banned' })
    expect(now('2001:db8::9')).not.toHaveProperty('retryAfter')
    expect(now('2001:db8::8').action).toBe('allow')
  })

  test('unban removes bans equal to or inside, clears the strikes, and returns what still covers', async () => {
    const { guard, now } = testGuard([rateLimit({ name: 'l', ladder: [{ ban: '1h', after: 2 }] })])
    await guard.strike('203.0.113.7')
    await guard.ban('203.0.113.8', { for: '1h' })
    await guard.ban('203.0.0.0/16', { for: '2h' })
    expect(await guard.unban('203.0.113.0/24')).toMatchObject([{ cidr: '203.0.0.0/16' }])
    expect(await guard.unban('203.0.0.0/16')).toEqual([])
    expect(now('203.0.113.8').action).toBe('allow')
    await guard.strike('203.0.113.7')
    expect(now('203.0.113.7').action).toBe('allow')
  })

  test('a ban that another instance made a moment ago is found, though the copy has not heard of it', async () => {
    const store = memoryStore({ clock: { now: () => START } })
    let tell: () => void = () => {}
    const remote = {
      ...store,
      entries: {
        ...store.entries,
        /** Tells of changes when it is asked to, as a store does that is asked from time to time. */
        watch: (listener: Parameters<typeof store.entries.watch>[0]) =>
          store.entries.watch((change) => {
            const before = tell
            tell = () => {
              before()
              listener(change)
            }
          }),
        async sync() {
          tell()
          tell = () => {}
        },
      },
    }
    const clock = { now: () => START }
    const here = createGuard({ policies: [], store: remote, clock })
    const there = createGuard({ policies: [], store, clock })
    await here.check(request(), { peer: '203.0.113.9' })
    await there.ban('203.0.113.7', { for: '1h' })
    expect(here.entries()).toEqual([])
    await here.unban('203.0.113.7')
    expect(there.entries()).toEqual([])
    expect(await there.check(request(), { peer: '203.0.113.7' })).toMatchObject({ action: 'allow' })
  })

  test('strikes do not count under a ban of a wider prefix', async () => {
    const { guard } = testGuard([rateLimit({ name: 'l', ladder: [{ ban: '1h', after: 2 }] })])
    await guard.ban('203.0.113.0/24', { for: '1h' })
    for (let i = 0; i < 3; i++) expect(await guard.strike('203.0.113.7')).toBeUndefined()
    expect(guard.entries()).toHaveLength(1)
  })

  test('a ban of what an allow list lets in is refused unless forced', async () => {
    const { guard, now } = testGuard([allow(['203.0.113.0/24'])])
    await expect(guard.ban('203.0.113.7', { for: '1h' })).rejects.toMatchObject({ code: 'IPGUARD_BAN_ALLOWED' })
    await expect(guard.ban('203.0.0.0/16', { for: '1h' })).rejects.toMatchObject({ code: 'IPGUARD_BAN_ALLOWED' })
    await guard.allow('198.51.100.7')
    await expect(guard.ban('198.51.100.0/24', { for: '1h' })).rejects.toThrow('198.51.100.7/32')
    await guard.ban('203.0.113.7', { for: '1h', force: true })
    expect(now('203.0.113.7').action).toBe('allow')
  })

  test.each([
    ['10.0.0', { for: '1h' }, 'IPGUARD_ADDRESS_INVALID'],
    ['10.0.0.0/33', { for: '1h' }, 'IPGUARD_CIDR_INVALID'],
    ['203.0.113.7', {}, 'IPGUARD_OPTION_INVALID'],
    ['203.0.113.7', { for: 'soon' }, 'IPGUARD_DURATION_INVALID'],
    ['203.0.113.7', { for: Number.POSITIVE_INFINITY }, 'IPGUARD_OPTION_INVALID'],
    ['203.0.113.7', { for: '1h', until: 1 }, 'IPGUARD_OPTION_UNKNOWN'],
    ['203.0.113.7', { for: '1h', reason: 'x'.repeat(201) }, 'IPGUARD_OPTION_INVALID'],
  ])('ban(%j, %j) rejects with %s', async (target, options, code) => {
    await expect(testGuard([]).guard.ban(target, options as never)).rejects.toMatchObject({ code })
  })
})

describe('allow and deny entries', () => {
  test('an allow entry beats a ban and a deny at any prefix length, and ends', async () => {
    const { guard, now, clock } = testGuard([deny(['203.0.113.7'])])
    await guard.ban('203.0.113.0/24', { for: 'permanent' })
    await guard.allow('203.0.113.0/25', { for: '1h' })
    expect(now('203.0.113.7')).toMatchObject({ action: 'allow', policy: 'entries' })
    clock.time += 3_600_000
    expect(now('203.0.113.7')).toMatchObject({ action: 'deny', reason: 'banned' })
  })

  test('allow of an IPv6 address is that address alone', async () => {
    const { guard, now } = testGuard([deny(['2001:db8::/32'])])
    await guard.allow('2001:db8::1')
    expect([now('2001:db8::1').action, now('2001:db8::2').action]).toEqual(['allow', 'deny'])
  })

  test('deny and remove', async () => {
    const { guard, now } = testGuard([])
    await guard.deny('203.0.113.0/24')
    expect(now('203.0.113.7')).toMatchObject({ action: 'deny', reason: 'denied', policy: 'entries' })
    expect(await guard.remove('203.0.113.0/24', { kind: 'deny' })).toBe(true)
    expect(await guard.remove('203.0.113.0/24', { kind: 'deny' })).toBe(false)
    expect(now('203.0.113.7').action).toBe('allow')
  })

  test('entries() lists what covers an address, or lies in a prefix', async () => {
    const { guard } = testGuard([])
    await guard.deny('203.0.113.0/24')
    await guard.allow('203.0.113.7')
    await guard.ban('198.51.100.7', { for: '1h' })
    expect(
      guard
        .entries({ ip: '203.0.113.7' })
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['allow', 'deny'])
    expect(guard.entries({ ip: '198.51.100.0/24' }).map(({ cidr }) => cidr)).toEqual(['198.51.100.7/32'])
    expect(guard.entries({ kind: 'ban' })).toHaveLength(1)
    expect(guard.entries()).toHaveLength(3)
  })

  test('reach every guard on the store at once, and its events', async () => {
    const store = memoryStore()
    const [one, two] = [0, 1].map(() => createGuard({ store, clock: { now: () => START }, policies: [] }))
    const seen: unknown[] = []
    two?.on('entry', (event) => seen.push([event.change, event.id]))
    expect(two?.check(request(), { peer: '203.0.113.7' })).toMatchObject({ action: 'allow' })
    await one?.ban('203.0.113.7', { for: '1h' })
    expect(two?.check(request(), { peer: '203.0.113.7' })).toMatchObject({ action: 'deny' })
    await one?.unban('203.0.113.7')
    expect(two?.check(request(), { peer: '203.0.113.7' })).toMatchObject({ action: 'allow' })
    expect(seen).toEqual([
      ['put', 'ban 203.0.113.7/32'],
      ['removed', 'ban 203.0.113.7/32'],
    ])
  })

  test('a guard without a store says which to add', async () => {
    const guard = createGuard({ policies: [] })
    await expect(guard.ban('203.0.113.7', { for: '1h' })).rejects.toMatchObject({ code: 'IPGUARD_STORE_MISSING' })
  })
})

describe('a call that would do nothing says what to write', () => {
  const { guard } = testGuard([])
  const kinds = "Write 'allow' or 'deny'."
  // As JavaScript can call them.
  const { ban, remove, unban, entries } = guard as unknown as Record<string, (...given: unknown[]) => unknown>

  test.each([
    ["remove(ip, 'deny')", () => remove?.('203.0.113.7', 'deny'), `guard.remove: { kind } is undefined. ${kinds}`],
    ['remove(ip)', () => remove?.('203.0.113.7'), `guard.remove: { kind } is undefined. ${kinds}`],
    [
      'remove of denied',
      () => remove?.('203.0.113.7', { kind: 'denied' }),
      `guard.remove: { kind } is "denied". ${kinds}`,
    ],
    ['remove of a ban', () => remove?.('203.0.113.7', { kind: 'ban' }), `guard.remove: { kind } is "ban". ${kinds}`],
    [
      'entries of bans',
      () => entries?.({ kind: 'bans' }),
      `guard.entries: { kind } is "bans". Write 'allow' or 'deny' or 'ban'.`,
    ],
    [
      'a ban for Infinity',
      () => ban?.('203.0.113.7', { for: Number.POSITIVE_INFINITY }),
      `guard.ban: for is Infinity. Write a duration like '24h', or 'permanent'.`,
    ],
  ])('%s', async (_, call, message) => {
    await expect((async () => call())()).rejects.toMatchObject({ code: 'IPGUARD_OPTION_INVALID', message })
  })

  test('on() knows every event, and no other', () => {
    const known: Record<keyof GuardEvents, true> = {
      decision: true,
      strike: true,
      ban: true,
      unban: true,
      entry: true,
      verdict: true,
      report: true,
      degraded: true,
      recovered: true,
      warning: true,
      error: true,
    }
    for (const name of Object.keys(known)) guard.on(name as keyof GuardEvents, () => {})()
    expect(() => guard.on('banned' as never, () => {})).toThrow(
      `guard.on is "banned". Write '${Object.keys(known).join("' or '")}'.`,
    )
  })

  test('unban names itself in what it says of an address', async () => {
    await expect(unban?.('x')).rejects.toMatchObject({
      code: 'IPGUARD_ADDRESS_INVALID',
      message: expect.stringMatching(/^guard\.unban: "x" is no address\./),
    })
  })
})

describe('shadow', () => {
  test('in a shadow guard nothing is refused, bans by hand included; setMode reaches every guard', async () => {
    const store = memoryStore()
    const make = () =>
      createGuard({
        store,
        clock: { now: () => START },
        mode: 'shadow',
        policies: [deny(['198.51.100.7']), rateLimit({ name: 'one', limit: 1, window: '60s' })],
      })
    const [one, two] = [make(), make()]
    await one.ban('203.0.113.7', { for: '1h' })
    const ask = (guard: typeof one, peer: string) => guard.check(request(), { peer })
    expect(ask(two, '203.0.113.7')).toMatchObject({
      action: 'allow',
      shadow: [{ action: 'deny', reason: 'banned', policy: 'entries' }],
    })
    expect(ask(two, '198.51.100.7')).toMatchObject({ action: 'allow', shadow: [{ action: 'deny', policy: 'deny' }] })
    void ask(two, '192.0.2.1')
    expect(ask(two, '192.0.2.1')).toMatchObject({
      action: 'allow',
      shadow: [{ action: 'limit', policy: 'one', retryAfter: 66 }],
    })
    await one.setMode('enforce')
    expect(ask(two, '203.0.113.7')).toMatchObject({ action: 'deny', reason: 'banned' })
    // Enforced, the client starts from zero.
    expect([ask(two, '192.0.2.1'), ask(two, '192.0.2.1')]).toMatchObject([{ action: 'allow' }, { action: 'limit' }])
    expect(one.metrics().shadow).toEqual({})
    expect(two.metrics().shadow).toEqual({ entries: { deny: 1 }, deny: { deny: 1 }, one: { limit: 1 } })
    await expect(one.setMode('off' as never)).rejects.toMatchObject({ code: 'IPGUARD_OPTION_INVALID' })
  })

  test('a shadow limit does not keep a live one from counting, nor count for it', () => {
    const { now } = testGuard([
      rateLimit({ name: 's', mode: 'shadow', limit: 1, window: '60s' }),
      rateLimit({ name: 'live', limit: 3, window: '60s' }),
    ])
    const answers = [1, 2, 3, 4].map(() => now('203.0.113.7'))
    expect(answers.map(({ action }) => action)).toEqual(['allow', 'allow', 'allow', 'limit'])
    expect(answers.map(({ shadow }) => shadow?.length ?? 0)).toEqual([0, 1, 1, 1])
    expect(answers[1]?.limits).toHaveLength(1)
  })
})

describe('status and metrics', () => {
  test('status(ip) says what is known and what check would say, without counting', async () => {
    const { guard, now } = testGuard([
      rateLimit({ name: 'l', limit: 2, window: '60s', ladder: [{ name: 'gray', ban: '24h' }] }),
    ])
    now('203.0.113.7')
    for (let i = 0; i < 3; i++) {
      expect(await guard.status('203.0.113.7')).toMatchObject({
        limits: [{ policy: 'l', limit: 2, remaining: 1, strikes: 0 }],
        decision: { action: 'allow' },
      })
    }
    now('203.0.113.7')
    expect(await guard.status('203.0.113.7')).toMatchObject({
      limits: [{ remaining: 0 }],
      decision: { action: 'limit' },
    })
    expect(await guard.status()).toMatchObject({ bansByTier: {}, entries: { ban: 0 } })
    now('203.0.113.7')
    expect(await guard.status('203.0.113.7')).toMatchObject({
      entries: [{ tier: 'gray' }],
      limits: [{ strikes: 1 }],
      decision: { action: 'deny', reason: 'banned' },
    })
    expect(await guard.status()).toMatchObject({
      mode: 'enforce',
      policies: ['l'],
      bansByTier: { gray: 1 },
      entries: { ban: 1 },
      store: { strikes: 1 },
    })
    expect(guard.metrics()).toMatchObject({
      decisions: { allow: 2, limit: 1, deny: 0 },
      policies: { l: { limit: 1 } },
      strikes: 1,
      bans: 1,
      activeBans: 1,
    })
  })

  test('a ban that has ended is not counted as active', async () => {
    const { guard, clock } = testGuard([])
    await guard.ban('203.0.113.7', { for: '1m' })
    expect(guard.metrics()).toMatchObject({ entries: 1, activeBans: 1 })
    clock.time += 60_000
    expect(guard.metrics()).toMatchObject({ entries: 0, activeBans: 0 })
  })

  test('a thousand policies and addresses make a bounded number of metrics', () => {
    const { guard, now } = testGuard([deny(['0.0.0.0/0'], { name: '__proto__' })])
    for (let i = 0; i < 1_000; i++) now(`203.0.${i % 250}.${i % 7}`)
    expect(Object.keys(guard.metrics().policies)).toEqual(['__proto__'])
    expect(JSON.stringify(guard.metrics())).not.toContain('203.0.')
  })
})
