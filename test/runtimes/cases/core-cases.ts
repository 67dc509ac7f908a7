import type { SuiteExpect, SuiteTest } from '@ipguard/conformance'
import {
  createGuard,
  deny,
  type Guard,
  type GuardRequest,
  IpGuardError,
  policy,
  rateLimit,
  verifiedCrawlers,
} from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'

const CLIENT = '198.51.100.7'
const request = (): GuardRequest => new Request('http://localhost/')
const guardOf = (policies: Parameters<typeof createGuard>[0]['policies']): Guard =>
  createGuard({ policies, store: memoryStore() })

/** Made while the module loads, as everybody makes them: some runtimes have no time, timers and randomness then. */
const early = guardOf([rateLimit({ name: 'early', limit: 1, window: '60s', ladder: [{ ban: '1h' }] })])

/** What core takes from the runtime: time, timers, ids, `Headers`, and errors that pass through. */
export function coreCases(test: SuiteTest, expect: SuiteExpect): void {
  test('core: a guard that was made while its module loaded goes by the right time', async () => {
    const before = Date.now()
    await early.check(request(), { peer: CLIENT })
    const limited = await early.check(request(), { peer: CLIENT })
    expect([limited.action, limited.reason, limited.tier]).toEqual(['limit', 'rate-limited', 'tier-1'])
    expect(Math.abs(limited.at - before) < 60_000).toBe(true)
    expect(Math.abs((limited.expires ?? 0) - before - 3_600_000) < 60_000).toBe(true)
    const banned = await early.check(request(), { peer: CLIENT })
    expect([banned.action, banned.reason, (banned.retryAfter ?? 0) > 3_500]).toEqual(['deny', 'banned', true])
  })

  test('core: ids of refusals are random UUIDs', async () => {
    const guard = guardOf([deny([CLIENT])])
    const ids = [await guard.check(request(), { peer: CLIENT }), await guard.check(request(), { peer: CLIENT })]
    expect(ids.map(({ id }) => /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(id ?? ''))).toEqual([true, true])
    expect(ids[0]?.id === ids[1]?.id).toBe(false)
  })

  test('core: a decision is synchronous where nothing has to be waited for', async () => {
    const decision = guardOf([rateLimit({ limit: 1, window: '60s' })]).check(request(), { peer: CLIENT })
    expect(decision instanceof Promise).toBe(false)
  })

  test('core: a policy that never answers meets its deadline', async () => {
    const stuck = policy({ name: 'stuck', onError: 'deny', evaluate: () => new Promise(() => {}) })
    const guard = createGuard({ policies: [stuck], deadline: '20ms' })
    const decision = await guard.check(request(), { peer: CLIENT })
    expect([decision.action, decision.policy, decision.degraded]).toEqual(['deny', 'stuck', ['stuck']])
  })

  test('core: one request is counted once, whoever asks', async () => {
    const guard = guardOf([rateLimit({ limit: 1, window: '60s' })])
    const same = request()
    const actions = [await guard.check(same, { peer: CLIENT }), await guard.check(same, { peer: CLIENT })]
    expect(actions.map(({ action }) => action)).toEqual(['allow', 'allow'])
    expect((await guard.check(request(), { peer: CLIENT })).action).toBe('limit')
  })

  test('core: errors are told by name and code', async () => {
    try {
      deny(['10.0.0/8'])
      expect('no error').toBe('an error')
    } catch (error) {
      const { name, code } = error as IpGuardError // the next line tells
      expect([error instanceof IpGuardError, name, code]).toEqual([true, 'IpGuardError', 'IPGUARD_CIDR_INVALID'])
    }
  })

  test('core: crawlers are verified where the runtime can ask the DNS, and otherwise creation says what is missing', async () => {
    const { process } = globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } } // not on all
    const canAsk = process?.getBuiltinModule?.('node:dns') !== undefined
    let code = 'none'
    try {
      verifiedCrawlers({ crawlers: ['google'] })
    } catch (error) {
      code = (error as IpGuardError).code // nothing else is thrown there
    }
    expect(code).toBe(canAsk ? 'none' : 'IPGUARD_DNS_MISSING')
  })
}
