import { describe, expect, test } from 'vitest'
import { failure, fakeProvider, reputationGuard, turn } from '../../test/fake-provider.ts'
import { reputation } from '../policy/reputation.ts'

const IP = '8.8.4.4'
const ip = (i: number): string => `8.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`

describe('a source that could not tell', () => {
  test.each([
    ['rejects', () => Promise.reject(failure('FAILED')), 'IPGUARD_PROVIDER_FAILED'],
    ['rejects with a stranger', () => Promise.reject(new Error('hunter2')), 'IPGUARD_PROVIDER_FAILED'],
    ['rejects with nothing', () => Promise.reject(undefined as unknown as Error), 'IPGUARD_PROVIDER_FAILED'],
    ['sends HTML', () => Promise.reject(failure('ANSWER')), 'IPGUARD_PROVIDER_ANSWER'],
    [
      'throws at once',
      () => {
        throw failure('FAILED')
      },
      'IPGUARD_PROVIDER_FAILED',
    ],
    ['answers NaN', () => Promise.resolve({ score: Number.NaN }), 'IPGUARD_PROVIDER_ANSWER'],
    ['answers too much', () => Promise.resolve({ score: 1e9 }), 'IPGUARD_PROVIDER_ANSWER'],
    ['answers null', () => Promise.resolve(null), 'IPGUARD_PROVIDER_ANSWER'],
    ['answers a score in a prototype', () => Promise.resolve(Object.create({ score: 100 })), 'IPGUARD_PROVIDER_ANSWER'],
    ['answers without a promise, nonsense', () => '100', 'IPGUARD_PROVIDER_ANSWER'],
  ])('%s: unknown, and nothing is kept but that', async (_, lookup, code) => {
    const fake = fakeProvider({ lookup: lookup as never })
    const { guard, now, pass, errors, store, events } = reputationGuard({ providers: [fake], onUnknown: 'challenge' })
    now(IP)
    await turn()
    expect(now(IP)).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
    expect(errors).toEqual([expect.objectContaining({ code })])
    expect(errors.map(({ message }) => message).join()).not.toContain('hunter2')
    expect(guard.metrics().reputation.fake).toMatchObject({ asked: 1, failed: 1, listed: 0, unlisted: 0 })
    expect(await store.get(`rep:1:4:fake:0::${IP}`)).toBeUndefined()
    expect(events).toEqual([])
    // Not asked about this address again before the error's own time.
    await pass(50_000)
    now(IP)
    await turn()
    expect(guard.metrics().reputation.fake?.asked).toBe(1)
    await pass(10_000)
    now(IP)
    await turn()
    expect(guard.metrics().reputation.fake?.asked).toBe(2)
  })

  test.each([
    ['a good old verdict counts, refusing', { score: 90 }, 'deny'],
    ['a good old "not listed" counts', undefined, 'allow'],
  ])('%s, until it is too old', async (_, verdict, action) => {
    const fake = fakeProvider({}, () => verdict)
    const { now, pass } = reputationGuard({ providers: [fake], onUnknown: 'challenge' })
    now(IP)
    await turn()
    fake.answer = () => {
      throw failure('FAILED')
    }
    // Four hours and the hour that it was good for, less the jitter.
    for (let minute = 0; minute < 290; minute += 5) {
      const decision = now(IP)
      expect(decision.action).toBe(action)
      expect(decision).not.toHaveProperty('degraded')
      await pass(300_000)
    }
    expect(fake.calls.length).toBeGreaterThan(3)
    await pass(1_800_000)
    now(IP)
    await turn()
    expect(now(IP)).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
  })

  test('an old verdict counts while a new one is on its way, and says that it is old', async () => {
    const fake = fakeProvider({}, () => ({ score: 90 }))
    const { now, pass } = reputationGuard({ providers: [fake] })
    now(IP)
    await turn()
    fake.answer = undefined
    await pass(3_600_000)
    const decision = now(IP)
    expect(decision).toMatchObject({ action: 'deny', pending: ['fake'] })
    expect(decision.evidence?.[0]).toMatchObject({ verdicts: [{ stale: true }] })
    await turn()
    fake.calls[1]?.resolve(undefined)
    await turn()
    expect(now(IP).action).toBe('allow')
  })

  test('one that never answers is given up at its timeout, and heard no more', async () => {
    const fake = fakeProvider({ timeout: '2s' })
    const { now, pass, errors, clock } = reputationGuard({ providers: [fake], onUnknown: 'challenge' })
    now(IP)
    await turn()
    await pass(1_999)
    expect(fake.calls[0]?.signal.aborted).toBe(false)
    await pass(1)
    expect(fake.calls[0]?.signal.aborted).toBe(true)
    expect(errors).toEqual([expect.objectContaining({ code: 'IPGUARD_PROVIDER_TIMEOUT' })])
    fake.calls[0]?.resolve({ score: 100 })
    await turn()
    expect(now(IP).action).toBe('challenge')
    expect(clock.pending()).toBe(0)
  })

  test('others speak for it', async () => {
    const broken = fakeProvider({ name: 'broken' }, () => {
      throw failure('FAILED')
    })
    const good = fakeProvider({ name: 'good' }, (each) => (each === IP ? { score: 90 } : undefined))
    const { now } = reputationGuard({ providers: [broken, good], onUnknown: 'challenge' })
    now(IP)
    now('8.8.8.8')
    await turn()
    expect(now(IP)).not.toHaveProperty('degraded')
    expect(now(IP).action).toBe('deny')
    // Not listed by one, and the other could have said more.
    expect(now('8.8.8.8')).toMatchObject({ action: 'allow', degraded: ['reputation'] })
  })
})

describe('a source that fails again and again', () => {
  test('is left alone after five times, then asked with one look-up, then with all again', async () => {
    const fake = fakeProvider({}, () => {
      throw failure('FAILED')
    })
    const { guard, now, pass, errors, warnings } = reputationGuard({
      providers: [fake],
      concurrency: 1,
      onUnknown: 'challenge',
    })
    for (let i = 0; i < 50; i++) now(ip(i))
    await turn()
    await turn()
    expect(fake.calls).toHaveLength(5)
    expect(errors).toHaveLength(5)
    expect(warnings).toEqual(['IPGUARD_PROVIDER_FAILED'])
    expect(guard.metrics().reputation.fake).toMatchObject({ open: true, asked: 5, queued: 0, inFlight: 0 })
    expect(now(ip(100))).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
    fake.answer = undefined
    await pass(33_000)
    for (let i = 100; i < 110; i++) now(ip(i))
    await turn()
    expect(fake.calls).toHaveLength(6)
    fake.calls[5]?.resolve(undefined)
    fake.answer = () => undefined
    await turn()
    expect(guard.metrics().reputation.fake?.open).toBe(false)
    now(ip(200))
    await turn()
    expect(fake.calls.length).toBeGreaterThan(6)
  })

  test('with a wrong key: an hour, and the operator is warned', async () => {
    const fake = fakeProvider({}, () => {
      throw failure('REFUSED')
    })
    const { now, pass, warnings, errors } = reputationGuard({ providers: [fake] })
    now(IP)
    await turn()
    expect(warnings).toEqual(['IPGUARD_PROVIDER_REFUSED'])
    expect(errors).toEqual([expect.objectContaining({ code: 'IPGUARD_PROVIDER_REFUSED' })])
    await pass(3_599_000)
    now('8.8.8.8')
    await turn()
    expect(fake.calls).toHaveLength(1)
    await pass(1_000)
    now('8.8.8.8')
    await turn()
    expect(fake.calls).toHaveLength(2)
  })
})

describe('more look-ups than can be made', () => {
  test('so many at a time, the others wait in order', async () => {
    const fake = fakeProvider()
    const { guard, now } = reputationGuard({ providers: [fake], concurrency: 3 })
    for (let i = 0; i < 10; i++) now(ip(i))
    await turn()
    expect(fake.calls).toHaveLength(3)
    expect(guard.metrics().reputation.fake).toMatchObject({ inFlight: 3, queued: 7 })
    fake.calls[1]?.resolve(undefined)
    await turn()
    expect(fake.calls.map((call) => call.ip)).toEqual([ip(0), ip(1), ip(2), ip(3)])
  })

  test('a full queue drops the oldest, counts it, and says so once', async () => {
    const fake = fakeProvider()
    const { guard, now, warnings } = reputationGuard({ providers: [fake], concurrency: 1, maxQueue: 5 })
    for (let i = 0; i < 20; i++) now(ip(i))
    await turn()
    expect(guard.metrics().reputation.fake).toMatchObject({ inFlight: 1, queued: 5, dropped: 14 })
    expect(warnings).toEqual(['IPGUARD_LOOKUPS_DROPPED'])
    fake.answer = () => undefined
    fake.calls[0]?.resolve(undefined)
    for (let i = 0; i < 10; i++) await turn()
    expect(fake.calls.map((call) => call.ip)).toEqual([ip(0), ...[15, 16, 17, 18, 19].map(ip)])
    // One that was dropped is asked about when it comes again.
    now(ip(3))
    await turn()
    expect(fake.calls).toHaveLength(7)
  })

  test('the largest limits of all policies hold', async () => {
    const fake = fakeProvider()
    const policies = [
      reputation({ providers: [fake], concurrency: 1 }),
      reputation({ name: 'b', providers: [fake], concurrency: 2 }),
    ]
    const { now } = reputationGuard({ providers: [fake] }, { policies })
    for (let i = 0; i < 10; i++) now(ip(i))
    await turn()
    expect(fake.calls).toHaveLength(2)
  })

  test('rows are bounded: an address that made room is asked of the store, not of the source', async () => {
    const fake = fakeProvider({}, () => ({ score: 90 }))
    const { guard, now } = reputationGuard({ providers: [fake], maxAddresses: 10 })
    for (let i = 0; i < 50; i++) {
      now(ip(i))
      await turn()
    }
    expect(now(ip(0)).action).toBe('allow')
    await turn()
    expect(now(ip(0)).action).toBe('deny')
    expect(guard.metrics().reputation.fake).toMatchObject({ asked: 50, shared: 1 })
  })
})
