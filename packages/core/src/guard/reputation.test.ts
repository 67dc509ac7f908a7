import { describe, expect, test, vi } from 'vitest'
import { fakeProvider, reputationGuard, turn } from '../../test/fake-provider.ts'
import { request } from '../../test/test-guard.ts'
import { deny } from '../policy/lists.ts'
import { onPaths } from '../policy/matcher.ts'
import { reputation } from '../policy/reputation.ts'
import type { Provider } from '../reputation/provider.ts'

const IP = '8.8.4.4'
const HOUR = 3_600_000

describe('in the background', () => {
  test('the first request goes on, the next one meets the verdict', async () => {
    const fake = fakeProvider({}, () => ({ score: 90, detail: 'list 7' }))
    const { now, events } = reputationGuard({ providers: [fake] })
    expect(now(IP)).toMatchObject({ action: 'allow', pending: ['fake'] })
    await turn()
    const decision = now(IP)
    expect(decision).toMatchObject({ action: 'deny', policy: 'reputation', reason: 'denied' })
    expect(decision.evidence).toEqual([
      {
        kind: 'reputation',
        score: 90,
        verdicts: [{ provider: 'fake', score: 90, weight: 1, detail: 'list 7', at: decision.at }],
      },
    ])
    expect(decision).not.toHaveProperty('pending')
    expect(events).toEqual([
      {
        ip: IP,
        provider: 'fake',
        policy: 'reputation',
        action: 'deny',
        score: 90,
        verdict: { score: 90, detail: 'list 7' },
      },
    ])
  })

  test('nothing of the look-up runs in the request itself', () => {
    const fake = fakeProvider({}, () => ({ score: 90 }))
    const { now } = reputationGuard({ providers: [fake] })
    now(IP)
    expect(fake.calls).toHaveLength(0)
  })

  test('a client is asked about once, also while the first answer is on its way', async () => {
    const fake = fakeProvider()
    const { now } = reputationGuard({ providers: [fake] })
    for (let i = 0; i < 100; i++) {
      expect(now(IP).pending).toEqual(['fake'])
      if (i % 10 === 0) await turn()
    }
    fake.calls[0]?.resolve(undefined)
    await turn()
    expect(now(IP)).not.toHaveProperty('pending')
    expect(fake.calls).toHaveLength(1)
  })

  test('the platform is told what to keep alive, until the record is written', async () => {
    const fake = fakeProvider()
    const { guard } = reputationGuard({ providers: [fake] })
    const work: Promise<unknown>[] = []
    void guard.check(request(), { peer: IP, waitUntil: (each) => work.push(each) })
    expect(work).toHaveLength(1)
    await turn()
    const done = vi.fn()
    void work[0]?.then(done)
    await turn()
    expect(done).not.toHaveBeenCalled()
    fake.calls[0]?.resolve(undefined)
    await turn()
    expect(done).toHaveBeenCalledOnce()
  })

  test('status starts nothing, and shows what is known', async () => {
    const fake = fakeProvider({}, () => ({ score: 50, categories: ['vpn'] }))
    const local = fakeProvider({ name: 'local', local: true, lookup: () => ({ score: 10 }) })
    const { guard, now, clock } = reputationGuard({ providers: [fake, local] })
    const before = await guard.status(IP)
    expect(before.reputation).toEqual([
      { provider: 'fake', answer: 'unknown' },
      { provider: 'local', answer: 'verdict', verdict: { score: 10 } },
    ])
    await turn()
    expect(fake.calls).toHaveLength(0)
    now(IP)
    await turn()
    const at = clock.now()
    const [known] = (await guard.status(IP)).reputation
    expect(known).toMatchObject({ provider: 'fake', answer: 'verdict', at, stale: false })
    expect(known?.verdict).toEqual({ score: 50, categories: ['vpn'] })
    clock.advance(HOUR)
    expect((await guard.status(IP)).reputation[0]).toMatchObject({ stale: true })
    expect(fake.calls).toHaveLength(1)
    clock.advance(5 * HOUR)
    expect((await guard.status(IP)).reputation[0]).toEqual({ provider: 'fake', answer: 'unknown' })
    expect((await guard.status('8.8.8.8')).reputation[0]?.answer).toBe('unknown')
  })
})

describe('who is asked about', () => {
  test.each([
    '10.0.0.1',
    '127.0.0.1',
    '100.64.0.1',
    '192.0.2.1',
    '169.254.1.1',
    'fd00::1',
    'fe80::1',
    '::1',
    '2002:a00:1::',
    '64:ff9b::a00:1',
  ])('never %s, which is no public address', async (ip) => {
    const fake = fakeProvider({}, () => ({ score: 100 }))
    const local = fakeProvider({ name: 'local', local: true }, () => ({ score: 100 }))
    const { now } = reputationGuard({ providers: [fake, local], onUnknown: 'challenge' })
    expect(now(ip)).toMatchObject({
      action: 'challenge',
      evidence: [{ kind: 'unknown', providers: ['fake', 'local'] }],
    })
    await turn()
    expect([...fake.calls, ...local.calls]).toEqual([])
  })

  test('includePrivate asks about those too', async () => {
    const fake = fakeProvider({}, () => ({ score: 100 }))
    const { now } = reputationGuard({ providers: [fake], includePrivate: true })
    now('10.0.0.1')
    await turn()
    expect(now('10.0.0.1').action).toBe('deny')
  })

  test('a mapped address is asked about as what it is', async () => {
    const fake = fakeProvider({}, () => undefined)
    const { now } = reputationGuard({ providers: [fake] })
    now(`::ffff:${IP}`)
    now(IP)
    await turn()
    expect(fake.calls.map(({ ip }) => ip)).toEqual([IP])
  })

  test('not what a provider does not support, which is unknown then; a throw is no support', async () => {
    const supports = vi.fn((ip: string) => {
      if (ip.includes(':')) throw new Error('no IPv6')
      return ip !== '8.8.8.8'
    })
    const fake = fakeProvider({ supports }, () => undefined)
    const { now } = reputationGuard({ providers: [fake], onUnknown: 'limit' })
    expect(now('8.8.8.8')).toMatchObject({ action: 'limit', reason: 'rate-limited', retryAfter: 1 })
    expect(now('2a00::1').action).toBe('limit')
    await turn()
    expect(fake.calls).toEqual([])
  })

  test('of one /64 no more than eight addresses an hour; the others stay unknown', async () => {
    const fake = fakeProvider({}, () => undefined)
    const { now, pass } = reputationGuard({ providers: [fake], onUnknown: 'challenge' })
    for (let i = 1; i <= 40; i++) now(`2a00:1:2:3::${i}`)
    await turn()
    await turn()
    expect(fake.calls).toHaveLength(8)
    const beyond = now('2a00:1:2:3::30')
    expect(beyond.action).toBe('challenge')
    expect(beyond).not.toHaveProperty('degraded')
    expect(now('2a00:1:2:3::2').action).toBe('allow')
    now('2a00:1:2:4::1')
    await pass(HOUR)
    now('2a00:1:2:3::30')
    await turn()
    expect(fake.calls).toHaveLength(10)
  })

  test('nobody who is spared', async () => {
    const fake = fakeProvider({}, () => ({ score: 100 }))
    const rule = { name: 'rule', spares: ({ request: { url } }: { request: { url: string } }) => url === '/spared' }
    const { now } = reputationGuard({ providers: [fake], except: ['8.8.8.8', rule], onUnknown: 'challenge' })
    expect(now('8.8.8.8').action).toBe('allow')
    expect(now(IP, '/spared').action).toBe('allow')
    await turn()
    expect(fake.calls).toEqual([])
    now(IP)
    await turn()
    expect([now(IP).action, now(IP, '/spared').action]).toEqual(['deny', 'allow'])
  })

  test('not where the policy does not apply, and not who was refused before', async () => {
    const fake = fakeProvider({}, () => undefined)
    const { now } = reputationGuard(
      { providers: [fake] },
      { policies: [deny(['8.8.8.8']), reputation({ providers: [fake], when: onPaths('/login') })] },
    )
    now('8.8.8.8', '/login')
    now(IP, '/')
    await turn()
    expect(fake.calls).toEqual([])
    now(IP, '/login')
    await turn()
    expect(fake.calls).toHaveLength(1)
  })

  test('a client that cannot be told is unknown', () => {
    const fake = fakeProvider()
    const { check } = reputationGuard({ providers: [fake], onUnknown: 'deny' }, { onUnknownClient: 'evaluate' })
    expect(check(undefined as never)).toMatchObject({ action: 'deny', evidence: [{ kind: 'unknown' }] })
  })
})

describe('what it comes to', () => {
  const said: Record<string, unknown> = {
    '8.0.0.1': { score: 39 },
    '8.0.0.2': { score: 40 },
    '8.0.0.3': { score: 60 },
    '8.0.0.4': { score: 80 },
    '8.0.0.5': { score: 0, categories: ['tor'] },
    '8.0.0.6': { score: 90, categories: ['vpn'] },
    '8.0.0.7': { score: 0, categories: ['hosting'] },
    '8.0.0.8': { score: 30, categories: ['hosting', 'vpn'] },
    '8.0.0.9': { score: 80, confidence: 0.5 },
  }

  test.each([
    ['8.0.0.1', 'allow', undefined],
    ['8.0.0.2', 'limit', 40],
    ['8.0.0.3', 'challenge', 60],
    ['8.0.0.4', 'deny', 80],
    ['8.0.0.5', 'deny', 0],
    ['8.0.0.6', 'deny', 90],
    ['8.0.0.7', 'allow', undefined],
    ['8.0.0.8', 'challenge', 51],
    ['8.0.0.9', 'limit', 40],
    ['8.0.0.10', 'allow', undefined],
  ])('%s: %s', async (ip, action, score) => {
    const fake = fakeProvider({}, (each) => said[each])
    const { now } = reputationGuard({
      providers: [fake],
      limit: 40,
      challenge: 60,
      deny: 80,
      categories: { tor: 'deny', vpn: 'challenge', hosting: 30 },
    })
    now(ip)
    await turn()
    const decision = now(ip)
    expect(decision.action).toBe(action)
    const [evidence] = decision.evidence ?? []
    expect(evidence && 'score' in evidence ? evidence.score : undefined).toBe(score)
  })

  test('a number for a category joins once, however many name it, and stands in the evidence', async () => {
    const names = ['a', 'b', 'c']
    const providers = names.map((name) =>
      fakeProvider({ name, weight: 0.5 }, () => ({ score: 20, categories: ['hosting'] })),
    )
    const { now } = reputationGuard({ providers, deny: 50, categories: { hosting: 40 }, weights: { c: 1 } })
    now(IP)
    await turn()
    const [evidence] = now(IP).evidence ?? []
    // 1 - 0.9 * 0.9 * 0.8 * 0.6
    expect(evidence).toMatchObject({ score: 61.12, categories: [{ category: 'hosting', score: 40 }] })
    const clear = evidence?.kind === 'reputation' ? evidence : undefined
    const voices = clear?.verdicts.reduce(
      (rest, { score, weight, confidence = 1 }) => rest * (1 - (weight * confidence * score) / 100),
      1,
    )
    const added = clear?.categories?.reduce((rest, each) => rest * (1 - each.score / 100), 1)
    expect(Math.round(1e4 * (1 - Number(voices) * Number(added))) / 100).toBe(clear?.score)
  })

  test('a limit says when the verdict goes stale', async () => {
    const fake = fakeProvider({ ttl: { verdict: '100s' } }, () => ({ score: 50 }))
    const { now, pass } = reputationGuard({ providers: [fake], limit: 50 })
    now(IP)
    await turn()
    const first = now(IP).retryAfter ?? 0
    expect(first).toBeGreaterThanOrEqual(90)
    expect(first).toBeLessThanOrEqual(100)
    await pass(50_000)
    expect(now(IP).retryAfter).toBe(first - 50)
  })

  test('in shadow it is looked up and recorded, and refuses nobody', async () => {
    const fake = fakeProvider({}, () => ({ score: 90 }))
    const { now } = reputationGuard({ providers: [fake], mode: 'shadow' })
    expect(now(IP)).toMatchObject({ action: 'allow', pending: ['fake'] })
    await turn()
    expect(now(IP)).toMatchObject({ action: 'allow', shadow: [{ action: 'deny', policy: 'reputation' }] })
  })

  test('a local provider is asked in the request each time, and a throw of it is no answer', async () => {
    let answer: () => unknown = () => ({ score: 100 })
    const local: Provider = { name: 'local', local: true, lookup: () => answer() as undefined }
    const { now } = reputationGuard({ providers: [local], onUnknown: 'challenge' })
    expect(now(IP).action).toBe('deny')
    answer = () => undefined
    expect(now(IP).action).toBe('allow')
    for (const nonsense of [() => Promise.reject(new Error('late')), () => ({ score: 1e9 })]) {
      answer = nonsense
      expect(now(IP)).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
    }
    answer = () => {
      throw new Error('broken file')
    }
    expect(now(IP)).toMatchObject({ action: 'challenge', degraded: ['reputation'] })
    await turn()
  })
})

describe('it is only asked when it can change the outcome', () => {
  test('not when the strongest is reached by what is known', async () => {
    const list: Provider = { name: 'list', local: true, lookup: () => ({ score: 100 }) }
    const fake = fakeProvider()
    const { now } = reputationGuard({ providers: [list, fake], deny: 80, challenge: 50 })
    const decision = now(IP)
    expect(decision.action).toBe('deny')
    expect(decision).not.toHaveProperty('pending')
    await turn()
    expect(fake.calls).toEqual([])
  })

  test('not when nothing that it could say would be enough; but when it could be together with another one', async () => {
    const known = fakeProvider({ name: 'known' }, () => ({ score: 10 }))
    const feeble = fakeProvider({ name: 'feeble', weight: 0.3, ttl: { unlisted: '1s' } }, () => undefined)
    const other = fakeProvider({ name: 'other', weight: 0.8 })
    const { now } = reputationGuard({ providers: [known, feeble, other], deny: 85 })
    now(IP)
    await turn()
    expect([known, feeble, other].map(({ calls }) => calls.length)).toEqual([1, 1, 1])
    other.calls[0]?.resolve(undefined)
    await turn()
    expect(now(IP).action).toBe('allow')
  })

  test('an answer that could not change anything is not renewed', async () => {
    const known = fakeProvider({ name: 'known', ttl: { verdict: '1d' } }, () => ({ score: 10 }))
    const feeble = fakeProvider({ name: 'feeble', weight: 0.3, ttl: { unlisted: '60s' } }, () => undefined)
    const { now, pass } = reputationGuard({ providers: [known, feeble], deny: 35 })
    now(IP)
    await turn()
    await pass(61_000)
    now(IP)
    await turn()
    expect(feeble.calls).toHaveLength(2)
    const strict = reputationGuard({ providers: [{ ...known }, { ...feeble }], deny: 90 })
    strict.now(IP)
    await turn()
    await strict.pass(61_000)
    strict.now(IP)
    await turn()
    expect(strict.guard.metrics().reputation.feeble?.asked).toBe(1)
  })

  test('but always when a category may decide', async () => {
    const feeble = fakeProvider({ weight: 0.01 }, () => ({ score: 0, categories: ['tor'] }))
    const { now } = reputationGuard({ providers: [feeble], categories: { tor: 'challenge' } })
    now(IP)
    await turn()
    expect(now(IP).action).toBe('challenge')
  })

  test('and when it is unknown, which is refused, and the answer may let it in', async () => {
    const feeble = fakeProvider({ weight: 0.01 }, () => undefined)
    const { now } = reputationGuard({ providers: [feeble], deny: 90, onUnknown: 'deny' })
    expect(now(IP)).toMatchObject({ action: 'deny', evidence: [{ kind: 'unknown', providers: ['fake'] }] })
    await turn()
    expect(now(IP).action).toBe('allow')
  })
})

describe('several policies on one guard', () => {
  test('share what is known; each has its say, and each is told', async () => {
    const fake = fakeProvider({}, () => ({ score: 60 }))
    const policies = [
      reputation({ name: 'login', providers: [fake], challenge: 50, when: onPaths('/login') }),
      reputation({ name: 'site', providers: [fake] }),
    ]
    const { now, events } = reputationGuard({ providers: [fake] }, { policies })
    now(IP, '/login')
    await turn()
    expect([now(IP, '/login').action, now(IP, '/').action]).toEqual(['challenge', 'allow'])
    expect(fake.calls).toHaveLength(1)
    expect(events.map(({ policy, action }) => `${policy} ${action}`)).toEqual(['login challenge', 'site allow'])
  })

  test('those of guard.with join; a policy is bound once', async () => {
    const fake = fakeProvider({}, () => ({ score: 60 }))
    const policy = reputation({ name: 'strict', providers: [fake], deny: 50 })
    const { guard, now } = reputationGuard({ providers: [fake] })
    const strict = guard.with({ policies: [policy] }).with({ policies: [] })
    now(IP)
    await turn()
    expect(await strict.check(request(), { peer: IP })).toMatchObject({ action: 'deny', policy: 'strict' })
    expect(fake.calls).toHaveLength(1)
    expect(Object.keys(guard.metrics().reputation)).toEqual(['fake'])
  })

  test('two providers of one name are refused', () => {
    const policies = [
      reputation({ providers: [fakeProvider()] }),
      reputation({ name: 'b', providers: [fakeProvider()] }),
    ]
    expect(() => reputationGuard({ providers: [fakeProvider()] }, { policies })).toThrow(
      expect.objectContaining({ code: 'IPGUARD_REPUTATION_INVALID' }),
    )
    const { guard } = reputationGuard({ providers: [fakeProvider()] })
    expect(() => guard.with({ policies: [reputation({ providers: [fakeProvider()] })] })).toThrow(
      expect.objectContaining({ code: 'IPGUARD_REPUTATION_INVALID' }),
    )
  })

  test('names are names, also those of Object', async () => {
    const fake = fakeProvider({ name: '__proto__' }, () => ({ score: 90 }))
    const other = fakeProvider({ name: 'constructor' }, () => undefined)
    const { guard, now } = reputationGuard({ providers: [fake, other] })
    now(IP)
    await turn()
    expect(now(IP).evidence?.[0]).toMatchObject({ verdicts: [{ provider: '__proto__' }] })
    expect(Object.keys(guard.metrics().reputation)).toEqual(['__proto__', 'constructor'])
    expect(Object.values(guard.metrics().reputation)[0]).toMatchObject({ asked: 1, listed: 1 })
  })
})

describe('when the guard is closed', () => {
  test('look-ups are aborted, no more start, nobody is told, and each provider is closed once', async () => {
    const fake = fakeProvider()
    const local = fakeProvider({ name: 'local', local: true, lookup: () => undefined })
    const { guard, now, events, errors, clock } = reputationGuard({ providers: [fake, local], concurrency: 1 })
    now(IP)
    now('8.8.8.8')
    await turn()
    const [call] = fake.calls
    await guard.close()
    await guard.close()
    expect(call?.signal.aborted).toBe(true)
    call?.resolve({ score: 100 })
    await turn()
    expect(now(IP).action).toBe('allow')
    now('9.9.9.9')
    await turn()
    expect(fake.calls).toHaveLength(1)
    expect([events, errors]).toEqual([[], []])
    expect([fake.closes, local.closes]).toEqual([1, 1])
    expect(clock.pending()).toBe(0)
  })

  test('a provider that does not close is an error event, and the guard closes', async () => {
    const fake = fakeProvider({ close: () => Promise.reject(new Error('busy')) })
    const { guard, errors } = reputationGuard({ providers: [fake] })
    await guard.close()
    expect(errors).toEqual([expect.objectContaining({ code: 'IPGUARD_PROVIDER_FAILED' })])
  })
})

test('a policy that no guard was given refuses to be asked', () => {
  expect(() => reputation({ providers: [fakeProvider()] }).evaluate({} as never)).toThrow(/guard/)
})
