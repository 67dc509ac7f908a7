import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { type HandClock, handClock, turn } from '../../test/hand-clock.ts'
import { admitted, type ScriptedStore, scriptedStore } from '../../test/scripted-store.ts'
import { request } from '../../test/test-guard.ts'
import { createGuard } from '../create-guard.ts'
import { IpGuardError } from '../errors.ts'
import { parsePrefix } from '../ip/prefix.ts'
import type { Decision } from '../policy/decision.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { createEntry } from '../store/entry.ts'
import type { Guard } from './guard.ts'

interface Setting {
  readonly store: ScriptedStore
  readonly clock: HandClock
  readonly guard: Guard
  readonly told: unknown[]
  check(peer?: string): Decision | Promise<Decision>
}

/** A guard over a scripted store, its entries loaded. */
async function setting(options: { readonly limit?: number; readonly instances?: number } = {}): Promise<Setting> {
  const { limit = 100, instances = 1 } = options
  const store = scriptedStore()
  const clock = handClock()
  const guard = createGuard({
    store,
    clock,
    instances,
    policies: [rateLimit({ name: 'l', limit, window: '60s', ladder: [{ name: 'gray', ban: '1h' }] })],
  })
  const told: unknown[] = []
  guard.on('degraded', (event) => told.push(['degraded', event]))
  guard.on('recovered', (event) => told.push(['recovered', event]))
  guard.on('error', ({ code }) => told.push(code))
  const ready = guard.status()
  await turn()
  await ready
  return { store, clock, guard, told, check: (peer = '203.0.113.7') => guard.check(request(), { peer }) }
}

const down = new Error('down')

/** Opens it with three rejections. */
async function open({ store, check }: Setting): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const decision = check(`198.51.100.${i}`)
    store.hits.calls.at(-1)?.reject(down)
    await decision
  }
}

function banOf(ip: string, createdAt: number, expiresAt: number) {
  return createEntry(parsePrefix(`${ip}/32`), { kind: 'ban', by: 'l', tier: 'gray', createdAt, expiresAt })
}

describe('a store that fails three times in a row', () => {
  test('is not asked any more: decisions are made at once, and say so', async () => {
    const it = await setting()
    await open(it)
    expect(it.store.hits.calls).toHaveLength(3)
    const decision = it.check()
    expect(decision).not.toBeInstanceOf(Promise)
    expect(decision).toMatchObject({ action: 'allow', degraded: ['l'], limits: [{ limit: 100, remaining: 99 }] })
    expect(it.store.hits.calls).toHaveLength(3)
    expect(await it.guard.status()).toMatchObject({ degraded: true })
  })

  test('is told of once; failures before it are errors, those after are not', async () => {
    const it = await setting()
    const waiting = [it.check('192.0.2.1'), it.check('192.0.2.2')]
    await open(it)
    for (const call of it.store.hits.calls) call.reject(down)
    for (const each of waiting) await each
    void it.check()
    expect(it.told).toEqual([
      'IPGUARD_STORE_FAILED',
      'IPGUARD_STORE_FAILED',
      'IPGUARD_STORE_FAILED',
      ['degraded', { part: 'store', store: 'scripted', code: 'IPGUARD_STORE_FAILED' }],
    ])
  })

  test('is a warning too, the first time', async () => {
    const it = await setting()
    const warnings: string[] = []
    it.guard.on('warning', ({ code, message }) => warnings.push(`${code} ${message}`))
    await open(it)
    it.clock.advance(250)
    it.store.sets.calls[0]?.resolve(true)
    await turn()
    expect(it.told.at(-1)).toMatchObject(['recovered', {}])
    await open(it)
    expect(it.told.at(-1)).toMatchObject(['degraded', {}])
    expect(warnings).toEqual([expect.stringContaining('IPGUARD_STORE_FAILED The store "scripted" does not answer')])
  })

  test('the event has the code of what failed last: lateness, or the store’s own', async () => {
    const late = await setting()
    const waiting = [late.check(), late.check(), late.check()]
    late.clock.advance(50)
    for (const each of waiting) await each
    expect(late.told.at(-1)).toMatchObject(['degraded', { code: 'IPGUARD_DEADLINE_EXCEEDED' }])
    const own = await setting()
    for (let i = 0; i < 3; i++) {
      const decision = own.check()
      own.store.hits.calls.at(-1)?.reject(new IpGuardError('IPGUARD_STORE_FULL', 'x'))
      await decision
    }
    expect(own.told.at(-1)).toMatchObject(['degraded', { code: 'IPGUARD_STORE_FULL' }])
  })

  test('an answer in between starts the count anew', async () => {
    const it = await setting()
    for (const fails of [true, true, false, true, true]) {
      const decision = it.check()
      const call = it.store.hits.calls.at(-1)
      if (fails) call?.reject(down)
      else call?.resolve([admitted()])
      await decision
    }
    expect(it.check()).toBeInstanceOf(Promise)
    expect(it.store.hits.calls).toHaveLength(6)
  })

  test('an answer that comes too late is no success', async () => {
    const it = await setting()
    const late = [it.check(), it.check()]
    it.clock.advance(50)
    for (const each of late) await each
    for (const call of it.store.hits.calls) call.resolve([admitted()])
    await turn()
    const third = it.check()
    it.clock.advance(50)
    await third
    expect(it.check()).not.toBeInstanceOf(Promise)
  })

  test('throwing instead of rejecting is the same, and a store that answers at once comes back too', async () => {
    const clock = handClock()
    const memory = memoryStore()
    let broken = false
    const asked = { hits: 0 }
    const guard = createGuard({
      clock,
      store: {
        ...memory,
        hit(hits, context) {
          asked.hits++
          if (broken) throw down
          return memory.hit(hits, context)
        },
        set(...all) {
          if (broken) throw down
          return memory.set(...all)
        },
      },
      policies: [rateLimit({ name: 'l', limit: 5, window: '60s' })],
    })
    const check = () => guard.check(request(), { peer: '203.0.113.7' }) as Decision
    for (const fails of [true, true, false, true, true]) {
      broken = fails
      expect(check().degraded).toEqual(fails ? ['l'] : undefined)
    }
    broken = true
    check()
    expect(asked.hits).toBe(6)
    expect(check().degraded).toEqual(['l'])
    expect(asked.hits).toBe(6)
    clock.advance(250)
    await turn()
    expect(check().degraded).toEqual(['l'])
    broken = false
    clock.advance(250)
    await turn()
    expect(check().degraded).toBeUndefined()
    expect(clock.pending()).toBe(0)
  })

  test('a decision whose time was up before the store was asked says nothing about the store', async () => {
    const store = scriptedStore()
    const clock = handClock()
    store.pages.answer = undefined
    const guard = createGuard({ store, clock, policies: [rateLimit({ name: 'l', limit: 5, window: '60s' })] })
    const waiting = [1, 2, 3, 4].map(() => guard.check(request(), { peer: '203.0.113.7' }))
    clock.advance(50)
    for (const each of waiting) expect(await each).toMatchObject({ degraded: ['entries', 'l'] })
    expect(store.hits.calls).toHaveLength(4)
    expect(guard.check(request(), { peer: '203.0.113.7' })).toBeInstanceOf(Promise)
    expect(store.hits.calls).toHaveLength(5)
  })
})

test('a store of which a part is away is asked on, and its failures are told of once a second', async () => {
  const it = await setting()
  const part = new IpGuardError('IPGUARD_REDIS_NOT_READY', 'a node', { partial: true })
  const decide = async (): Promise<Decision> => {
    const decision = it.check()
    it.store.hits.calls.at(-1)?.reject(part)
    return decision
  }
  for (let i = 0; i < 10; i++) expect(await decide()).toMatchObject({ action: 'allow', degraded: ['l'] })
  expect(it.store.hits.calls).toHaveLength(10)
  expect(it.told).toEqual(['IPGUARD_STORE_FAILED'])
  it.clock.advance(1000)
  await decide()
  expect(it.told).toEqual(['IPGUARD_STORE_FAILED', 'IPGUARD_STORE_FAILED'])
})

describe('probes', () => {
  test('write every 250 ms, and the first that is answered in time hands back', async () => {
    const it = await setting()
    await open(it)
    it.clock.advance(249)
    expect(it.store.sets.calls).toHaveLength(0)
    it.clock.advance(1)
    expect(it.store.sets.calls).toHaveLength(1)
    expect(it.store.sets.calls[0]?.asked).toEqual({ key: 'ipguard:probe:0', expiresAt: it.clock.now() + 1000 })
    it.store.sets.calls[0]?.reject(down)
    await turn()
    it.clock.advance(250)
    it.store.sets.calls[1]?.resolve(true)
    await turn()
    expect(it.told.at(-1)).toEqual(['recovered', { part: 'store', store: 'scripted', after: 500 }])
    expect(await it.guard.status()).toMatchObject({ degraded: false })
    expect(it.clock.pending()).toBe(0)
    const decision = it.check()
    it.store.hits.calls.at(-1)?.resolve([admitted()])
    expect(await decision).not.toHaveProperty('degraded')
  })

  test('one that is answered late does not', async () => {
    const it = await setting()
    await open(it)
    it.clock.advance(250)
    it.clock.advance(51)
    it.store.sets.calls[0]?.resolve(true)
    await turn()
    expect(it.check()).not.toBeInstanceOf(Promise)
    it.clock.advance(250)
    it.store.sets.calls[1]?.resolve(true)
    await turn()
    expect(it.check()).toBeInstanceOf(Promise)
  })

  test('that are not answered: another each second, and never more than four', async () => {
    const it = await setting()
    await open(it)
    const sent: number[] = []
    for (let i = 0; i < 40; i++) {
      it.clock.advance(250)
      sent.push(it.store.sets.calls.length)
    }
    expect(sent.slice(0, 14)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4])
    expect(sent.at(-1)).toBe(4)
    it.store.sets.calls[2]?.reject(down)
    await turn()
    it.clock.advance(250)
    it.store.sets.calls[4]?.resolve(true)
    await turn()
    expect(it.check()).toBeInstanceOf(Promise)
  })

  test('stop with close()', async () => {
    const it = await setting()
    await open(it)
    await it.guard.close()
    expect(it.clock.pending()).toBe(0)
    expect(it.check()).toMatchObject({ degraded: ['l'] })
  })
})

test('more than 10,000 calls without an answer: the next fails at once', async () => {
  const it = await setting()
  const waiting = Array.from({ length: 10_000 }, (_, i) => it.check(`198.51.${i >> 8}.${i & 255}`))
  expect(it.store.hits.calls).toHaveLength(10_000)
  expect(it.check()).toMatchObject({ action: 'allow', degraded: ['l'] })
  expect(it.store.hits.calls).toHaveLength(10_000)
  expect(it.told).toEqual(['IPGUARD_STORE_FAILED'])
  it.store.hits.calls[0]?.resolve([admitted()])
  await waiting[0]
  expect(it.check()).toBeInstanceOf(Promise)
  expect(it.check()).toMatchObject({ degraded: ['l'] })
  for (const call of it.store.hits.calls) call.resolve([admitted()])
  for (const each of waiting) await each
})

describe('an answer that comes after its decision', () => {
  test('still brings its ban to the copy, and is told', async () => {
    const it = await setting()
    const seen: unknown[] = []
    it.guard.on('ban', (ban) => seen.push(ban.cidr))
    const decision = it.check()
    it.clock.advance(50)
    expect(await decision).toMatchObject({ action: 'allow', degraded: ['l'] })
    const banned = banOf('203.0.113.7', it.clock.now(), it.clock.now() + 3_600_000)
    it.store.hits.calls[0]?.resolve([{ ...admitted(0), admitted: false, strikes: 1, banned }])
    await turn()
    expect(seen).toEqual(['203.0.113.7/32'])
    expect(it.check()).toMatchObject({ action: 'deny', reason: 'banned' })
  })

  test('so does one that stood before, in time or not; but not one that was removed since', async () => {
    const it = await setting()
    const start = it.clock.now()
    for (const [ip, late] of [
      ['203.0.113.7', false],
      ['203.0.113.8', true],
    ] as const) {
      const decision = it.check(ip)
      if (late) it.clock.advance(50)
      if (late) await decision
      const ban = banOf(ip, start, start + 3_600_000)
      it.store.hits.calls.at(-1)?.resolve([{ ...admitted(0), admitted: false, ban }])
      await turn()
      expect(await decision).toMatchObject({ action: late ? 'allow' : 'deny' })
      expect(it.check(ip)).toMatchObject({ action: 'deny', policy: 'entries' })
      it.store.tell({ removed: [ban.id] })
      const again = it.check(ip)
      it.store.hits.calls.at(-1)?.resolve([{ ...admitted(0), admitted: false, ban }])
      await again
      const last = it.check(ip)
      it.store.hits.calls.at(-1)?.resolve([admitted()])
      expect(await last).toMatchObject({ action: 'allow' })
    }
  })
})

describe('while the store is away', () => {
  test('each instance counts its share of limit and burst', async () => {
    const it = await setting({ limit: 10, instances: 4 })
    await open(it)
    const actions = [1, 2, 3].map(() => (it.check() as Decision).action)
    expect(actions).toEqual(['allow', 'allow', 'limit'])
    const store = scriptedStore()
    const guard = createGuard({
      store,
      clock: it.clock,
      instances: 4,
      policies: [rateLimit({ name: 'b', limit: 10, burst: 8, window: '60s', algorithm: 'token-bucket' })],
    })
    await guard.status()
    const bucket = []
    for (let i = 0; i < 4; i++) {
      const decision = guard.check(request(), { peer: '203.0.113.7' })
      store.hits.calls.at(-1)?.reject(down)
      bucket.push((await decision).action)
    }
    expect(bucket).toEqual(['allow', 'allow', 'limit', 'limit'])
  })

  test('strike(), refund() and status(ip) answer by the deadline, and refund() asks nobody', async () => {
    const it = await setting()
    const native = request()
    const first = it.guard.check(native, { peer: '203.0.113.7' })
    it.store.hits.calls[0]?.resolve([admitted()])
    const handle = it.guard.handle(native, await first)
    const refund = handle.refund()
    await turn()
    it.clock.advance(50)
    await refund
    expect(it.store.hits.calls[1]?.asked.hits[0]?.cost).toBe(-1)
    const strike = it.guard.strike('203.0.113.9')
    await turn()
    it.clock.advance(50)
    expect(await strike).toMatchObject({ tier: 'gray' })
    const status = it.guard.status('203.0.113.9')
    await turn()
    it.clock.advance(50)
    expect(await status).toMatchObject({ limits: [{ strikes: 1 }], decision: { action: 'deny', reason: 'banned' } })
    const asked = it.store.hits.calls.length
    const other = request()
    await it.guard.handle(other, await it.guard.check(other, { peer: '203.0.113.10' })).refund()
    expect(it.store.hits.calls).toHaveLength(asked)
    expect(it.clock.pending()).toBe(2) // the next probe, and the ban that is to be written
  })

  test('refund() gives nothing back for a request that one failed call let in', async () => {
    const it = await setting()
    const native = request()
    const decision = it.guard.check(native, { peer: '203.0.113.7' })
    it.store.hits.calls[0]?.reject(down)
    await it.guard.handle(native, await decision).refund()
    expect(it.store.hits.calls).toHaveLength(1)
    expect(it.check()).toBeInstanceOf(Promise)
  })

  test('siblings that are banned become no wider ban: nothing is put before it is back', async () => {
    const it = await setting({ limit: 0 })
    await open(it)
    for (let i = 0; i < 9; i++) expect(it.check(`2001:db8:0:10${i}::1`)).toMatchObject({ tier: 'gray' })
    expect(it.store.puts.calls).toEqual([])
  })

  test('its bans hold here, and are written when it is back', async () => {
    const it = await setting({ limit: 0 })
    await open(it)
    expect(it.check('203.0.113.7')).toMatchObject({ action: 'limit', tier: 'gray' })
    expect(it.check('203.0.113.7')).toMatchObject({ action: 'deny', reason: 'banned' })
    expect(it.check('203.0.113.8')).toMatchObject({ action: 'limit', tier: 'gray' })
    it.clock.advance(250)
    expect(it.store.puts.calls).toHaveLength(0)
    it.store.sets.calls[0]?.resolve(true)
    await turn()
    const written = () => it.store.puts.calls.map(({ asked }) => asked.map(({ cidr }) => cidr))
    expect(written()).toEqual([
      ['198.51.100.0/32', '198.51.100.1/32', '198.51.100.2/32', '203.0.113.7/32', '203.0.113.8/32'],
    ])
    it.store.puts.calls[0]?.reject(down)
    await turn()
    it.clock.advance(250)
    await turn()
    expect(written()).toHaveLength(2)
    it.store.puts.calls[1]?.resolve()
    await turn()
    it.clock.advance(5_000)
    await turn()
    expect(written()).toHaveLength(2)
    expect(it.clock.pending()).toBe(0)
  })

  test('a ban made here in a single failure is written as well', async () => {
    const it = await setting({ limit: 0 })
    const decision = it.check()
    it.store.hits.calls[0]?.reject(down)
    expect(await decision).toMatchObject({ tier: 'gray' })
    it.clock.advance(250)
    expect(it.store.puts.calls.map(({ asked }) => asked[0]?.cidr)).toEqual(['203.0.113.7/32'])
  })
})

test('the store inspects itself once it has answered, and after a recovery; each finding is a warning, once', async () => {
  const it = await setting()
  const codes: string[] = []
  it.guard.on('warning', ({ code }) => codes.push(code))
  it.store.inspections.answer = () => [{ code: 'IPGUARD_STORE_FULL', message: 'x' }]
  it.store.hits.answer = () => [admitted()]
  await it.check()
  await it.check()
  await turn()
  expect(it.store.inspections.calls).toHaveLength(1)
  expect(codes).toEqual(['IPGUARD_STORE_FULL'])
  it.store.hits.answer = undefined
  await open(it)
  it.clock.advance(250)
  it.store.sets.calls[0]?.resolve(true)
  await turn()
  expect(it.store.inspections.calls).toHaveLength(2)
  expect(codes).toEqual(['IPGUARD_STORE_FULL', 'IPGUARD_STORE_FAILED'])
})
