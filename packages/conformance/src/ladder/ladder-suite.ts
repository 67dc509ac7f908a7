import {
  createGuard,
  type Decision,
  type Evidence,
  type Guard,
  IpGuardError,
  type PolicyOutcome,
  rateLimit,
  type Store,
} from '@ipguard/core'
import { hitOf, keyOf, limiter, START } from '../store-suite/store-kit.ts'
import type { StoreSuiteOptions, SuiteClock } from '../store-suite/store-suite.ts'
import { CLIENT, type ExpectedDecision, type HistoryStep, type LadderHistory } from './history.ts'
import { ladderHistories } from './ladder-histories.ts'

/** One history on its way. */
interface Run extends Pick<StoreSuiteOptions, 'expect'> {
  readonly history: LadderHistory
  readonly store: Store
  readonly clock: SuiteClock
  readonly warnings: string[]
  guard: Guard
}

/**
 * The worked histories of the ladder through `guard.check`, on any store: one test each, with its numbers.
 *
 * Takes the same arguments as `storeSuite`. One history sets `Date.now` for its length, as a wall clock that steps does.
 *
 * @example
 * import { expect, test } from 'vitest'
 * ladderSuite({ test, expect, createStore: ({ clock }) => memoryStore({ clock }) })
 */
export function ladderSuite({ test, expect, createStore }: Omit<StoreSuiteOptions, 'capabilities'>): void {
  for (const history of ladderHistories) {
    test(history.name, async () => {
      if (history.refused !== undefined) {
        expect(codeOf(() => history.policies.map((options) => rateLimit(options)))).toBe(history.refused)
        return
      }
      const clock = createClock()
      const store = await createStore({ clock })
      const warnings: string[] = []
      const realNow = Date.now
      const run: Run = {
        history,
        store,
        clock,
        warnings,
        expect,
        guard: guardOf(history, store, clock, warnings, false),
      }
      try {
        for (const step of history.steps) {
          clock.set(START + step.at)
          await take(run, step)
        }
      } finally {
        Date.now = realNow
        await run.guard.close()
      }
    })
  }
}

async function take(run: Run, step: HistoryStep): Promise<void> {
  const { guard, store, expect, history } = run
  switch (step.do) {
    case 'request':
      for (let i = 0; i < (step.times ?? 1); i++) await request(run, step, i)
      return
    case 'in flight':
      for (const options of history.policies.slice(0, 1)) {
        const hit = hitOf(limiter(options), keyOf(CLIENT))
        for (let i = 0; i < step.times; i++) await store.hit([hit], { now: START + step.at, commit: 'all' })
      }
      return
    case 'strike': {
      const ban = await guard.strike(CLIENT)
      expect(ban?.expiresAt === undefined ? null : ban.expiresAt - START).toBe(step.banned)
      return
    }
    case 'ban':
      await guard.ban(step.target, { for: step.for })
      return
    case 'unban':
      await guard.unban(step.target)
      return
    case 'allow':
      await guard.allow(step.target)
      return
    case 'set wall clock': {
      const realNow = Date.now
      Date.now = () => realNow() + step.by
      return
    }
    case 'enforce':
      run.guard = guardOf(history, store, run.clock, run.warnings, true)
      return
    case 'see bans':
      expect(bansOf(guard.entries({ kind: 'ban' }))).toEqual(step.bans)
      expect(bansOf(await loaded(store, START + step.at))).toEqual(step.bans)
      return
    case 'see status':
      await see(run, step)
      return
    case 'see warning':
      expect(run.warnings.filter((code) => code === step.code)).toEqual([step.code])
  }
}

async function request({ guard, expect }: Run, step: HistoryStep & { do: 'request' }, i: number): Promise<void> {
  const background: Promise<unknown>[] = []
  const decision = await guard.check(
    { method: 'GET', url: step.url ?? '/', headers: { get: () => null } },
    { peer: step.from ?? CLIENT, waitUntil: (work) => background.push(work) },
  )
  await Promise.all(background)
  // A wider ban is put in the background; let it arrive where nobody handed over `waitUntil`.
  if (decision.action !== 'allow') await Promise.resolve()
  expect({ request: i + 1, ...said(decision, step.expect) }).toEqual({ request: i + 1, ...step.expect })
}

/** Of a decision only what is expected to be said. */
function said(outcome: Decision | PolicyOutcome, expected: ExpectedDecision): object {
  const { action, reason, policy, retryAfter, expires, tier } = outcome
  const all = {
    action,
    reason,
    policy,
    retryAfter,
    expires: expires === undefined ? undefined : expires - START,
    tier,
    strikes: strikesOf(outcome.evidence),
    shadow: 'at' in outcome ? (outcome.shadow ?? []) : undefined,
  }
  const asked = Object.entries(all).filter(([name]) => name in expected)
  return Object.fromEntries(
    asked.map(([name, value]) => [
      name,
      name === 'shadow'
        ? all.shadow?.map((each, i) => said(each, expected.shadow?.[i] ?? (each as ExpectedDecision)))
        : value,
    ]),
  )
}

function strikesOf(evidence: readonly Evidence[] = []): number | undefined {
  return evidence.find((each) => each.kind === 'strikes')?.strikes
}

async function see({ guard, expect, history }: Run, step: HistoryStep & { do: 'see status' }): Promise<void> {
  const { entries, shadow, limits } = await guard.status(step.of ?? CLIENT)
  const first = limits.find(({ policy }) => policy === history.policies[0]?.name)
  const seen = {
    strikes: first?.strikes,
    remaining: first?.remaining,
    bans: entries.filter(({ kind }) => kind === 'ban').length,
    shadowBans: shadow.length,
  }
  const { at: _at, do: _do, of: _of, ...expected } = step
  expect(Object.fromEntries(Object.entries(seen).filter(([name]) => name in expected))).toEqual(expected)
}

function guardOf(
  { policies, clientIp }: LadderHistory,
  store: Store,
  clock: SuiteClock,
  warnings: string[],
  enforced: boolean,
): Guard {
  return createGuard({
    store,
    clock: { now: () => clock.now() },
    // A loaded machine must not turn a slow answer of a real store into a degraded one.
    deadline: '10s',
    policies: policies.map(({ mode, ...options }) => rateLimit({ ...options, ...(mode && !enforced ? { mode } : {}) })),
    onWarning: ({ code }) => warnings.push(code),
    ...(clientIp ? { clientIp } : {}),
  })
}

type Bans = readonly {
  readonly kind: string
  readonly cidr: string
  readonly expiresAt?: number
  readonly shadow?: boolean
}[]

function bansOf(entries: Bans): object {
  const bans = entries.filter(({ kind, shadow }) => kind === 'ban' && !shadow)
  return Object.fromEntries(bans.map(({ cidr, expiresAt = Number.POSITIVE_INFINITY }) => [cidr, expiresAt - START]))
}

async function loaded(store: Store, now: number): Promise<Bans> {
  const all = []
  for await (const page of store.entries.load()) all.push(...page)
  return all.filter(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt > now)
}

function createClock(): SuiteClock {
  let time = START
  return {
    now: () => time,
    set(epochMs) {
      time = epochMs
    },
  }
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call()
  } catch (error) {
    if (error instanceof IpGuardError) return error.code
    throw error
  }
  return undefined
}
