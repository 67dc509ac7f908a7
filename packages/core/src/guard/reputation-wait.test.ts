import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { failure, fakeProvider, reputationGuard, turn } from '../../test/fake-provider.ts'
import { handClock } from '../../test/hand-clock.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { reputation } from '../policy/reputation.ts'

const IP = '8.8.4.4'

/** What it has come to so far. */
async function soFar<T>(answer: T | Promise<T>): Promise<T | 'waiting'> {
  await turn()
  return Promise.race([answer, Promise.resolve('waiting' as const)])
}

describe('wait', () => {
  test('the first request meets the verdict', async () => {
    const fake = fakeProvider()
    const { check, now } = reputationGuard({ providers: [fake], wait: true })
    const answer = check(IP)
    expect(await soFar(answer)).toBe('waiting')
    fake.calls[0]?.resolve({ score: 90 })
    const decision = await answer
    expect(decision).toMatchObject({ action: 'deny', policy: 'reputation' })
    expect(decision).not.toHaveProperty('pending')
    expect(decision).not.toHaveProperty('degraded')
    expect(now(IP).action).toBe('deny')
  })

  test('with several it waits for all that matter, and no longer than that', async () => {
    const a = fakeProvider({ name: 'a' })
    const b = fakeProvider({ name: 'b' })
    const { check } = reputationGuard({ providers: [a, b], wait: true })
    const clean = check(IP)
    const bad = check('8.8.8.8')
    await turn()
    a.calls[0]?.resolve(undefined)
    expect(await soFar(clean)).toBe('waiting')
    b.calls[0]?.resolve(undefined)
    expect((await clean).action).toBe('allow')
    // The strongest is reached: the other one need not say anything.
    b.calls[1]?.resolve({ score: 100 })
    expect(await bad).toMatchObject({ action: 'deny' })
  })

  test('true waits up to the deadline: then what is known, else onUnknown, and it says so', async () => {
    const fake = fakeProvider()
    const { check, pass } = reputationGuard({ providers: [fake], wait: true, onUnknown: 'challenge' })
    const answer = check(IP)
    await pass(499)
    expect(await soFar(answer)).toBe('waiting')
    await pass(1)
    expect(await answer).toMatchObject({
      action: 'challenge',
      evidence: [{ kind: 'unknown', providers: ['fake'] }],
      degraded: ['reputation'],
      pending: ['fake'],
    })
    // The look-up goes on: the next request meets its answer.
    fake.calls[0]?.resolve({ score: 90 })
    await turn()
    expect(await check(IP)).toMatchObject({ action: 'deny' })
  })

  test('a duration is its own deadline', async () => {
    const fake = fakeProvider()
    const { check, pass } = reputationGuard({ providers: [fake], wait: '100ms', onUnknown: 'limit' })
    const answer = check(IP)
    await pass(99)
    expect(await soFar(answer)).toBe('waiting')
    await pass(1)
    expect(await answer).toMatchObject({ action: 'limit', degraded: ['reputation'], pending: ['fake'] })
  })

  test('each has a deadline of its own, and one that is stuck holds nobody else', async () => {
    const stuck = fakeProvider({ name: 'stuck' })
    const { check, pass } = reputationGuard({ providers: [stuck], wait: '300ms' })
    const first = check(IP)
    await pass(200)
    const second = check(IP)
    const other = check('8.8.8.8')
    await turn()
    expect(stuck.calls).toHaveLength(2)
    await pass(100)
    expect(await first).toMatchObject({ action: 'allow', degraded: ['reputation'] })
    expect(await soFar(second)).toBe('waiting')
    stuck.calls[1]?.resolve({ score: 90 })
    expect((await other).action).toBe('deny')
    await pass(200)
    expect(await second).toMatchObject({ degraded: ['reputation'] })
  })

  test('what is known of one provider counts when the other is late', async () => {
    const quick = fakeProvider({ name: 'quick' }, () => ({ score: 60 }))
    const slow = fakeProvider({ name: 'slow' })
    const { check, pass } = reputationGuard({ providers: [quick, slow], wait: true, challenge: 50, deny: 80 })
    const answer = check(IP)
    await pass(500)
    expect(await answer).toMatchObject({ action: 'challenge', degraded: ['reputation'], pending: ['slow'] })
  })

  test('one that fails is not waited for any longer', async () => {
    const fake = fakeProvider()
    const { check, clock } = reputationGuard({ providers: [fake], wait: true, onUnknown: 'deny' })
    const answer = check(IP)
    await turn()
    fake.calls[0]?.reject(failure('FAILED'))
    expect(await answer).toMatchObject({ action: 'deny', degraded: ['reputation'] })
    expect(clock.pending()).toBe(0)
  })

  test('nobody waits for a renewal', async () => {
    const fake = fakeProvider({}, () => ({ score: 90 }))
    const { check, now, pass } = reputationGuard({ providers: [fake], wait: true })
    await check(IP)
    fake.answer = undefined
    await pass(3_600_000)
    expect(now(IP)).toMatchObject({ action: 'deny', pending: ['fake'] })
  })

  test('a thousand at once are one look-up, and all are answered', async () => {
    const fake = fakeProvider()
    const { check } = reputationGuard({ providers: [fake], wait: true })
    const answers = Array.from({ length: 1000 }, () => check(IP))
    await turn()
    expect(fake.calls).toHaveLength(1)
    fake.calls[0]?.resolve({ score: 100 })
    expect((await Promise.all(answers.map(async (each) => each))).every(({ action }) => action === 'deny')).toBe(true)
  })

  test('in shadow too it is recorded by the deadline', async () => {
    const fake = fakeProvider()
    const { check, pass } = reputationGuard({ providers: [fake], wait: true, mode: 'shadow', onUnknown: 'challenge' })
    const answer = check(IP)
    await pass(500)
    expect(await answer).toMatchObject({
      action: 'allow',
      shadow: [{ action: 'challenge', policy: 'reputation' }],
      degraded: ['reputation'],
    })
  })

  test('behind a limit that refuses, the answer is the limit; what comes later changes no decision', async () => {
    const fake = fakeProvider()
    const policies = [rateLimit({ limit: 1, window: '60s' }), reputation({ providers: [fake], wait: true })]
    const { check, pass, errors } = reputationGuard({ providers: [fake] }, { policies })
    const first = check(IP)
    const second = await check(IP)
    expect(second).toMatchObject({ action: 'limit' })
    await pass(500)
    expect(await first).toMatchObject({ action: 'allow', degraded: ['reputation'] })
    fake.calls[0]?.resolve({ score: 100 })
    await turn()
    expect([second.action, (await first).action]).toEqual(['limit', 'allow'])
    expect(errors).toEqual([])
  })

  test('a guard that has just started, and loads its entries first, waits as long as any', async () => {
    const clock = handClock()
    const memory = memoryStore({ clock })
    const store = {
      ...memory,
      entries: {
        ...memory.entries,
        async *load() {
          await new Promise<void>((resolve) => clock.after?.(40, resolve))
          yield []
        },
      },
    }
    const fake = fakeProvider()
    const { check, pass } = reputationGuard({ providers: [fake], wait: true }, { clock, store })
    const [early, late] = [check(IP), check('8.8.8.8')]
    await pass(40)
    await pass(100)
    expect(await soFar(early)).toBe('waiting')
    fake.calls[0]?.resolve({ score: 90 })
    expect(await early).toMatchObject({ action: 'deny' })
    // Half a second in all, from the beginning of the decision.
    await pass(359)
    expect(await soFar(late)).toBe('waiting')
    await pass(1)
    expect(await late).toMatchObject({ action: 'allow', degraded: ['reputation'] })
  })

  test('status does not wait', async () => {
    const fake = fakeProvider()
    const { guard } = reputationGuard({ providers: [fake], wait: true, onUnknown: 'challenge' })
    const { decision } = await guard.status(IP)
    expect(decision.action).toBe('challenge')
    expect(decision).not.toHaveProperty('degraded')
    expect(fake.calls).toEqual([])
  })

  test('a guard that is closed leaves nobody waiting', async () => {
    const fake = fakeProvider()
    const { guard, check } = reputationGuard({ providers: [fake], wait: true, concurrency: 1 })
    const answers = [check(IP), check('8.8.8.8')]
    await turn()
    await guard.close()
    expect((await Promise.all(answers.map(async (each) => each))).map(({ action }) => action)).toEqual([
      'allow',
      'allow',
    ])
  })
})
