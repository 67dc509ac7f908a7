import { describe, expect, test } from 'vitest'
import { type HandClock, handClock, turn } from '../../test/hand-clock.ts'
import { type ScriptedStore, scriptedStore } from '../../test/scripted-store.ts'
import { request, START } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import { parsePrefix } from '../ip/prefix.ts'
import type { Decision } from '../policy/decision.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { createEntry, type Entry } from '../store/entry.ts'
import type { Store } from '../store/store.ts'
import type { Guard } from './guard.ts'
import type { GuardOptions } from './guard-options.ts'

const HOUR = 3_600_000

function entry(ip: string, fields: Partial<Entry> = {}): Entry {
  return createEntry(parsePrefix(ip.includes('/') ? ip : `${ip}/32`), {
    kind: 'ban',
    by: 'test',
    createdAt: START,
    expiresAt: START + HOUR,
    ...fields,
  })
}

interface Setting {
  readonly store: ScriptedStore
  readonly clock: HandClock
  readonly guard: Guard
  check(peer: string): Decision | Promise<Decision>
  held(): readonly string[]
  /** Answers the oldest page that is asked for; none: the end. */
  page(...entries: Entry[]): Promise<void>
}

function setting(options: Partial<GuardOptions> = {}, store: ScriptedStore = scriptedStore()): Setting {
  const clock = handClock()
  const guard = createGuard({ store, clock, policies: [], ...options })
  store.pages.answer = undefined
  let read = 0
  return {
    store,
    clock,
    guard,
    check: (peer) => guard.check(request(), { peer }),
    held: () => guard.entries().map(({ cidr }) => cidr.replace('/32', '')),
    async page(...entries) {
      store.pages.calls[read++]?.resolve(entries.length > 0 ? entries : undefined)
      await turn()
    },
  }
}

/** One whose first load has brought these. */
async function loaded(entries: Entry[], options: Partial<GuardOptions> = {}): Promise<Setting> {
  const it = setting(options)
  const first = it.guard.status()
  await turn()
  if (entries.length > 0) await it.page(...entries)
  await it.page()
  await first
  return it
}

describe('a first load', () => {
  test('that hangs is waited for by those that came before one was late, and by nobody after', async () => {
    const it = setting()
    const early = it.check('203.0.113.7')
    it.clock.advance(30)
    const second = it.check('203.0.113.7')
    it.clock.advance(20)
    expect(await early).toMatchObject({ action: 'allow', degraded: ['entries'] })
    expect(second).toBeInstanceOf(Promise)
    const third = it.check('203.0.113.7')
    expect(third).not.toBeInstanceOf(Promise)
    expect(third).toMatchObject({ action: 'allow', degraded: ['entries'] })
    expect(await it.guard.status()).toMatchObject({ degraded: true })
    await it.page(entry('203.0.113.7'))
    await it.page()
    expect(await second).toMatchObject({ action: 'deny' })
    expect(it.check('203.0.113.7')).toMatchObject({ action: 'deny', reason: 'banned' })
    expect(await it.guard.status()).toMatchObject({ degraded: false })
  })

  test('is not waited for while the store is away, and is started anew when it is back and the load stands still', async () => {
    const it = setting({
      policies: [rateLimit({ name: 'l', limit: 9, window: '60s', ladder: [{ ban: '1h', after: 9 }] })],
    })
    const early = it.check('203.0.113.7')
    for (let i = 0; i < 3; i++) {
      const strike = it.guard.strike('203.0.113.1')
      it.store.hits.calls.at(-1)?.reject(new Error('down'))
      await strike
    }
    expect(early).toBeInstanceOf(Promise)
    expect(it.check('203.0.113.7')).toMatchObject({ action: 'allow', degraded: ['entries', 'l'] })
    it.clock.advance(250)
    it.store.sets.calls[0]?.resolve(true)
    await turn()
    // It may be on its way still.
    expect(it.store.pages.calls).toHaveLength(1)
    for (let i = 3; i < 6; i++) {
      const strike = it.guard.strike('203.0.113.1')
      it.store.hits.calls.at(-1)?.reject(new Error('down'))
      await strike
    }
    it.clock.advance(751)
    it.store.sets.calls[1]?.resolve(true)
    await turn()
    expect(it.store.pages.calls.map(({ asked }) => asked.number)).toEqual([1, 2])
    // The first one answers after all: it was overtaken.
    await it.page(entry('203.0.113.7'))
    expect(it.held()).toEqual([])
    await it.page()
    expect(await it.guard.status()).toMatchObject({ degraded: false })
  })

  test('that fails is tried again after 250 ms, told of once, and never after close()', async () => {
    const it = setting()
    const errors: string[] = []
    it.guard.on('error', ({ message }) => errors.push(message))
    for (let i = 0; i < 4; i++) {
      const decision = it.check('203.0.113.7')
      it.store.pages.calls[i]?.reject(new Error('down'))
      expect(await decision).toMatchObject({ degraded: ['entries'] })
      expect(it.check('203.0.113.7')).toMatchObject({ degraded: ['entries'] })
      it.clock.advance(249)
      expect(it.store.pages.calls).toHaveLength(i + 1)
      it.clock.advance(1)
      await turn()
      expect(it.store.pages.calls).toHaveLength(i + 2)
    }
    expect(errors).toEqual(['The entries could not be loaded.'])
    expect(it.store.watching()).toBe(1)
    it.store.pages.calls[4]?.reject(new Error('down'))
    await turn()
    await it.guard.close()
    expect([it.clock.pending(), it.store.watching()]).toEqual([0, 0])
  })

  test('drops what an attempt that failed has brought and the next does not', async () => {
    const it = setting()
    const decision = it.check('203.0.113.7')
    await it.page(entry('203.0.113.7'), entry('203.0.113.8'))
    it.store.pages.calls[1]?.reject(new Error('down'))
    expect(await decision).toMatchObject({ action: 'deny', degraded: ['entries'] })
    it.clock.advance(250)
    await turn()
    it.store.pages.calls[2]?.resolve([entry('203.0.113.8')])
    await turn()
    it.store.pages.calls[3]?.resolve(undefined)
    await turn()
    expect(it.held()).toEqual(['203.0.113.8'])
    expect(it.check('203.0.113.7')).toMatchObject({ action: 'allow' })
  })

  test('takes no more than a thousand entries in a turn, though the store gives them without a wait', async () => {
    const store = scriptedStore()
    let given = 0
    const paged: Store = {
      ...store,
      entries: {
        ...store.entries,
        async *load() {
          for (let page = 0; page < 20; page++) {
            given += 1000
            yield Array.from({ length: 1000 }, (_, i) => entry(`10.${page}.${i >> 8}.${i & 255}`))
          }
          given += 5_000
          yield Array.from({ length: 5000 }, (_, i) => entry(`10.99.${i >> 8}.${i & 255}`))
        },
      },
    }
    const guard = createGuard({ store: paged, clock: handClock(), policies: [] })
    const decision = guard.check(request(), { peer: '10.99.1.1' })
    let most = 0
    for (let held = 0; held < 25_000; ) {
      const before = held
      await new Promise((resolve) => setImmediate(resolve))
      held = guard.metrics().entries
      most = Math.max(most, held - before)
    }
    expect(given).toBe(25_000)
    expect(most).toBe(1000)
    expect(await decision).toMatchObject({ action: 'deny' })
  })
})

describe('after a gap', () => {
  test('the old copy is enforced until the new one is whole; then what is not in it goes', async () => {
    const same = entry('203.0.113.10', { kind: 'deny' })
    const it = await loaded([entry('203.0.113.1'), entry('203.0.113.2'), entry('203.0.113.3', { kind: 'allow' }), same])
    const seen: string[] = []
    it.guard.on('entry', ({ change, id }) => seen.push(`${change} ${id}`))
    it.store.tell({ again: 'gap' })
    await turn()
    await it.page(entry('203.0.113.2'), entry('203.0.113.4'), same)
    expect(it.check('203.0.113.1')).toMatchObject({ action: 'deny' })
    expect(it.check('203.0.113.4')).toMatchObject({ action: 'deny' })
    await it.page()
    expect(it.held()).toEqual(['203.0.113.2', '203.0.113.10', '203.0.113.4'])
    // Those that stayed are no news.
    expect(seen).toEqual(['put ban 203.0.113.4/32', 'removed ban 203.0.113.1/32', 'removed allow 203.0.113.3/32'])
  })

  test('what is put meanwhile stays, what is removed meanwhile stays away, and a shorter ban is taken over', async () => {
    const it = await loaded([entry('203.0.113.1', { expiresAt: START + 5 * HOUR }), entry('203.0.113.2')])
    it.store.tell({ again: 'gap' })
    await turn()
    it.store.tell({ put: [entry('203.0.113.5'), entry('203.0.113.6', { kind: 'deny', reason: 'new' })] })
    it.store.tell({ removed: ['ban 203.0.113.2/32'] })
    await it.page(entry('203.0.113.1'), entry('203.0.113.2'), entry('203.0.113.6', { kind: 'deny', reason: 'old' }))
    await it.page()
    expect(it.held().toSorted()).toEqual(['203.0.113.1', '203.0.113.5', '203.0.113.6'])
    expect(it.guard.entries({ ip: '203.0.113.1' })[0]?.expiresAt).toBe(START + HOUR)
    expect(it.guard.entries({ ip: '203.0.113.6' })[0]?.reason).toBe('new')
  })

  test('before the first load is there starts it anew, and the end of the old one is no end', async () => {
    const it = setting()
    const decision = it.check('203.0.113.1')
    it.store.tell({ again: 'gap' })
    await turn()
    await it.page()
    expect(it.check('203.0.113.1')).toBeInstanceOf(Promise)
    await it.page(entry('203.0.113.1'))
    await it.page()
    expect(await decision).toMatchObject({ action: 'deny' })
  })

  test('another gap before the end starts anew; one page of the old load changes nothing more', async () => {
    const it = await loaded([entry('203.0.113.1')])
    it.store.tell({ again: 'gap' })
    await turn()
    it.store.tell({ again: 'gap' })
    await turn()
    expect(it.store.pages.calls.slice(2).map(({ asked }) => asked.number)).toEqual([2, 3])
    await it.page(entry('203.0.113.9'))
    expect(it.held()).toEqual(['203.0.113.1'])
    await it.page(entry('203.0.113.2'))
    await it.page()
    expect(it.held()).toEqual(['203.0.113.2'])
  })

  test('a load that fails leaves the old copy, and is tried again', async () => {
    const it = await loaded([entry('203.0.113.1')])
    it.store.tell({ again: 'gap' })
    await turn()
    it.store.pages.calls[2]?.reject(new Error('down'))
    await turn()
    expect(it.check('203.0.113.1')).toMatchObject({ action: 'deny' })
    expect(it.check('203.0.113.2')).not.toHaveProperty('degraded')
    it.clock.advance(250)
    await turn()
    it.store.pages.calls[3]?.resolve(undefined)
    await turn()
    expect(it.held()).toEqual([])
  })
})

describe('a store that came back without what it held', () => {
  const many = Array.from({ length: 1100 }, (_, i) => entry(`10.0.${i >> 8}.${i & 255}`))

  test('gets every live entry back, 500 at a time, before it is loaded', async () => {
    const it = await loaded([
      ...many,
      entry('203.0.113.9', { expiresAt: START + 100 }),
      entry('203.0.113.8', { kind: 'allow' }),
    ])
    it.clock.advance(100)
    it.store.tell({ again: 'lost' })
    for (const size of [500, 500, 101]) {
      await turn()
      const call = it.store.puts.calls.at(-1)
      expect(call?.asked).toHaveLength(size)
      expect(it.store.pages.calls).toHaveLength(2)
      expect(it.check('10.0.0.1')).toMatchObject({ action: 'deny' })
      call?.resolve()
    }
    await turn()
    expect(it.store.puts.calls).toHaveLength(3)
    await it.page(...many.slice(0, 600))
    await it.page()
    expect(it.held()).toHaveLength(600)
  })

  test('one that is removed while it is put again stays removed, whoever else puts it', async () => {
    const [one, two] = [entry('203.0.113.1'), entry('203.0.113.2')]
    const it = await loaded([one, two])
    it.store.tell({ again: 'lost' })
    await turn()
    it.store.tell({ removed: [one.id] })
    // The same from another copy, which had not heard yet.
    it.store.tell({ put: [one, two] })
    expect(it.held()).toEqual(['203.0.113.2'])
    it.store.puts.calls[0]?.resolve()
    await turn()
    expect(it.store.removes.calls.map(({ asked }) => asked)).toEqual([[one.id]])
    it.store.removes.calls[0]?.resolve()
    await turn()
    await it.page(one, two)
    await it.page()
    expect(it.held()).toEqual(['203.0.113.2'])
  })

  test('one that was removed before is taken out of a store that has it again, unless it is another', async () => {
    const [one, two, three] = [entry('203.0.113.1'), entry('203.0.113.2'), entry('203.0.113.3')]
    const it = await loaded([one, two, three])
    it.store.tell({ removed: [one.id, two.id] })
    it.store.tell({ again: 'lost' })
    await turn()
    it.store.puts.calls[0]?.resolve()
    await turn()
    await it.page(one, entry('203.0.113.2', { createdAt: START + 5 }), three)
    await it.page()
    expect(it.store.removes.calls.map(({ asked }) => asked)).toEqual([[one.id]])
    it.store.removes.calls[0]?.resolve()
    await turn()
    expect(it.held()).toEqual(['203.0.113.2', '203.0.113.3'])
  })

  test('one that is banned anew meanwhile is another ban', async () => {
    const it = await loaded([entry('203.0.113.1')])
    it.store.tell({ again: 'lost' })
    await turn()
    it.store.tell({ removed: ['ban 203.0.113.1/32'] })
    it.store.tell({ put: [entry('203.0.113.1', { createdAt: START + 5 })] })
    it.store.puts.calls[0]?.resolve()
    await turn()
    expect(it.store.removes.calls).toEqual([])
    await it.page()
    expect(it.held()).toEqual(['203.0.113.1'])
  })

  test('again before all is back: all is put again; failing: tried again, with all of it', async () => {
    const it = await loaded([entry('203.0.113.1')])
    it.store.tell({ again: 'lost' })
    await turn()
    it.store.puts.calls[0]?.resolve()
    await turn()
    expect(it.store.pages.calls).toHaveLength(3)
    it.store.tell({ again: 'lost' })
    await turn()
    // The load that was under way knows nothing of this one, and must not drop a thing.
    await it.page()
    expect(it.held()).toEqual(['203.0.113.1'])
    it.store.puts.calls[1]?.reject(new Error('down'))
    await turn()
    it.clock.advance(250)
    await turn()
    // A gap does not make it forget what it is for.
    it.store.tell({ again: 'gap' })
    await turn()
    expect(it.store.puts.calls).toHaveLength(4)
    it.store.puts.calls[3]?.resolve()
    await turn()
    await it.page(entry('203.0.113.1'))
    await it.page()
    expect(it.held()).toEqual(['203.0.113.1'])
    it.store.tell({ again: 'gap' })
    await turn()
    expect(it.store.puts.calls).toHaveLength(4)
  })
})

describe('a full copy', () => {
  const full = (entries: Entry[], options: Partial<GuardOptions> = {}) => loaded(entries, { maxEntries: 2, ...options })

  test('leaves bans out, never anything else, and says so once', async () => {
    const codes: string[] = []
    const it = await full(
      [
        entry('203.0.113.1'),
        entry('203.0.113.2'),
        entry('203.0.113.3'),
        entry('203.0.113.4', { kind: 'allow' }),
        entry('203.0.113.5', { kind: 'deny' }),
        entry('::/0', { kind: 'mode', mode: 'shadow' }),
        entry('203.0.113.6'),
      ],
      { onWarning: ({ code }) => codes.push(code) },
    )
    expect(it.held()).toEqual(['203.0.113.1', '203.0.113.2', '203.0.113.4', '203.0.113.5'])
    expect(await it.guard.status()).toMatchObject({ mode: 'shadow' })
    expect(codes).toEqual(['IPGUARD_REPLICA_FULL'])
    // One that is held is replaced.
    it.store.tell({ put: [entry('203.0.113.1', { expiresAt: START + 2 * HOUR })] })
    expect(it.guard.entries({ ip: '203.0.113.1' })[0]?.expiresAt).toBe(START + 2 * HOUR)
    // One that goes makes room.
    it.store.tell({ removed: ['ban 203.0.113.2/32', 'allow 203.0.113.4/32', 'deny 203.0.113.5/32', 'mode ::/0'] })
    it.store.tell({ put: [entry('203.0.113.7'), entry('203.0.113.8')] })
    expect(it.held()).toEqual(['203.0.113.1', '203.0.113.7'])
  })

  test('makes room of bans that have ended before it leaves any out', async () => {
    const codes: string[] = []
    const it = await full([entry('203.0.113.1', { expiresAt: START + 1_000 }), entry('203.0.113.2')], {
      onWarning: ({ code }) => codes.push(code),
    })
    it.clock.advance(2_000)
    it.store.tell({ put: [entry('203.0.113.3')] })
    expect([it.held(), codes]).toEqual([['203.0.113.3', '203.0.113.2'], []])
  })

  test('asks the store for what was left out: only for clients without a match, only where there may be one', async () => {
    const it = await full([
      entry('203.0.113.1'),
      entry('198.51.100.0/24', { kind: 'deny' }),
      entry('192.0.2.1', { kind: 'allow' }),
      entry('203.0.113.3'),
      entry('198.18.0.0/15'),
      entry('2001:db8:1:2::/64', { policy: 'p' }),
    ])
    for (const [peer, action] of [
      ['203.0.113.1', 'deny'],
      ['198.51.100.7', 'deny'],
      ['192.0.2.1', 'allow'],
    ] as const)
      expect(it.check(peer)).toMatchObject({ action })
    expect(it.store.finds.calls).toHaveLength(0)
    const banned = it.check('198.19.7.7')
    expect(it.store.finds.calls[0]?.asked).toEqual(['ban 198.19.7.7/32', 'ban 198.18.0.0/15'])
    it.store.finds.calls[0]?.resolve([entry('198.18.0.0/15')])
    expect(await banned).toMatchObject({
      action: 'deny',
      reason: 'banned',
      evidence: [{ entry: { cidr: '198.18.0.0/15' } }],
    })
    const six = it.check('2001:db8:1:2::9')
    expect(it.store.finds.calls[1]?.asked).toEqual(['ban "p" 2001:db8:1:2::/64'])
    it.store.finds.calls[1]?.resolve([])
    expect(await six).toEqual({ action: 'allow', at: START, client: expect.anything() })
  })

  test('of several found the one that ends last counts, and one that has ended does not', async () => {
    const it = await full([entry('203.0.113.1'), entry('203.0.113.2'), entry('198.51.100.1'), entry('198.51.100.0/24')])
    const decision = it.check('198.51.100.1')
    it.store.finds.calls[0]?.resolve([
      entry('198.51.100.1', { expiresAt: START + 5_000 }),
      entry('198.51.100.0/24', { expiresAt: START + 9_000 }),
    ])
    expect(await decision).toMatchObject({ action: 'deny', retryAfter: 9 })
    const ended = it.check('198.51.100.1')
    it.store.finds.calls[1]?.resolve([entry('198.51.100.1', { expiresAt: START })])
    expect(await ended).toMatchObject({ action: 'allow' })
  })

  test('finds the ban of one policy for that policy, also behind a base guard', async () => {
    const limit = rateLimit({ name: 'p', limit: 9, window: '60s', ladder: { tiers: [{ ban: '1h' }], scope: 'policy' } })
    const it = await full([entry('203.0.113.1'), entry('203.0.113.2'), entry('203.0.113.3', { policy: 'p' })], {
      policies: [],
    })
    const behind = it.guard.with({ policies: [limit] })
    const native = request()
    const base = it.guard.check(native, { peer: '203.0.113.3' })
    it.store.finds.calls[0]?.resolve([entry('203.0.113.3', { policy: 'p' })])
    expect(await base).toMatchObject({ action: 'allow' })
    expect(await behind.check(native, { peer: '203.0.113.3' })).toMatchObject({ action: 'deny', policy: 'p' })
    expect(it.store.finds.calls).toHaveLength(1)
  })

  test('that gets no answer in time goes on without, and says so; three in a row and the store is left alone', async () => {
    const it = await full([entry('203.0.113.1'), entry('203.0.113.2'), entry('203.0.113.3')])
    for (const fails of [true, false, false]) {
      const decision = it.check('203.0.113.3')
      if (fails) it.store.finds.calls[0]?.reject(new Error('down'))
      else it.clock.advance(50)
      expect(await decision).toMatchObject({ action: 'allow', degraded: ['entries'] })
    }
    expect(it.check('203.0.113.3')).toMatchObject({ action: 'allow', degraded: ['entries'] })
    expect(it.store.finds.calls).toHaveLength(3)
  })

  test('unban() looks in the store, and removes what the copy never had', async () => {
    const it = await full([entry('203.0.113.1'), entry('203.0.113.2'), entry('203.0.113.3')])
    const unban = it.guard.unban('203.0.113.3')
    await turn()
    it.store.pages.calls[2]?.resolve([entry('203.0.113.2'), entry('203.0.113.3'), entry('203.0.113.0/24')])
    await turn()
    it.store.pages.calls[3]?.resolve(undefined)
    await turn()
    expect(it.store.removes.calls[0]?.asked).toEqual(['ban 203.0.113.3/32'])
    it.store.removes.calls[0]?.resolve()
    expect((await unban).map(({ cidr }) => cidr)).toEqual(['203.0.113.0/24'])
  })

  test('still holds the bans that this instance makes while the store is away, through a new load too', async () => {
    const it = await full([entry('203.0.113.1'), entry('203.0.113.2')], {
      policies: [rateLimit({ name: 'l', limit: 0, window: '60s', ladder: [{ ban: '1h' }] })],
    })
    const decision = it.check('198.51.100.1')
    it.store.hits.calls[0]?.reject(new Error('down'))
    expect(await decision).toMatchObject({ action: 'limit', degraded: ['l'] })
    expect(it.check('198.51.100.1')).toMatchObject({ action: 'deny', reason: 'banned' })
    it.store.tell({ again: 'gap' })
    await turn()
    await it.page(entry('203.0.113.1'))
    await it.page()
    expect(it.held()).toEqual(['203.0.113.1', '198.51.100.1'])
    it.clock.advance(250)
    expect(it.store.puts.calls[0]?.asked.map(({ cidr }) => cidr)).toEqual(['198.51.100.1/32'])
    it.store.puts.calls[0]?.resolve()
    await turn()
    it.store.tell({ again: 'gap' })
    await turn()
    await it.page(entry('203.0.113.1'))
    await it.page()
    expect(it.held()).toEqual(['203.0.113.1'])
  })

  test('of a store that cannot be asked for single entries is as large as the store', async () => {
    const store = scriptedStore()
    const { find: _find, ...entries } = store.entries
    const it = setting({ maxEntries: 1 }, { ...store, entries })
    const decision = it.check('203.0.113.3')
    await it.page(entry('203.0.113.1'), entry('203.0.113.2'), entry('203.0.113.3'))
    await it.page()
    expect(await decision).toMatchObject({ action: 'deny' })
    expect(it.held()).toHaveLength(3)
  })
})
