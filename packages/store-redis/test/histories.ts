import { customKey, entryOf, keyOf, limiter, SUITE_START } from '@ipguard/conformance'
import type { Algorithm, Counter, CounterKey, Hit, HitCommit } from '@ipguard/core'
import fc from 'fast-check'

/*
 * Random histories of hits, bans and pardons, for two stores side by side. What one history does depends on what was answered before (a refund
 * needs a slot, a clock must not go back over an edge), so this is the plan; `side-by-side.ts` carries it out.
 */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Of the bucket's, limit / window is a binary fraction: what is given back on a cluster is then exactly what was taken. */
const windowOf = (algorithm: Algorithm): number => (algorithm === 'token-bucket' ? 65_536 : MINUTE)
/** The largest is the one that a bucket is asked with when it has run empty, see `side-by-side.ts`. */
export const BUCKET_LIMITS: readonly number[] = [2, 4, 8]

const LADDERS = {
  quick: {
    tiers: [
      { name: 'short', ban: 10 * SECOND, after: 2, within: 5 * MINUTE },
      { name: 'long', ban: DAY, after: 4, within: HOUR },
    ],
    decay: HOUR,
  },
  slow: {
    tiers: [
      { name: 'graylist', ban: DAY, after: 1 },
      { name: 'blacklist', ban: 30 * DAY, after: 3 },
    ],
    decay: 60 * DAY,
  },
  scoped: {
    tiers: [
      { name: 'jail', ban: MINUTE, after: 2, within: 10 * MINUTE },
      { name: 'gaol', ban: HOUR, after: 3, within: HOUR },
    ],
    decay: 2 * HOUR,
    jitter: 0.5,
    scope: 'policy',
  },
} as const

const ALGORITHMS = ['sliding-window', 'fixed-window', 'token-bucket'] as const

/** By name. Limits change from hit to hit, so their functions say no largest. */
export const COUNTERS: ReadonlyMap<string, Counter> = byName([
  ...ALGORITHMS.flatMap((algorithm) => {
    const options = { limit: () => 0, window: windowOf(algorithm), algorithm } as const
    return [
      limiter({ ...options, name: 'plain' }),
      limiter({ ...options, name: 'plain' }, true),
      limiter({ ...options, name: 'quick', ladder: LADDERS.quick }),
      limiter({ ...options, name: 'quick', ladder: LADDERS.quick }, true),
      limiter({ ...options, name: 'slow', ladder: LADDERS.slow }),
      limiter({ ...options, name: 'scoped', ladder: LADDERS.scoped }),
    ]
  }),
  // Only strikes by the application.
  limiter({ name: 'login', ladder: LADDERS.quick }),
])

function byName(counters: readonly Counter[]): ReadonlyMap<string, Counter> {
  return new Map(counters.map((counter) => [counter.id, counter]))
}

const CLIENTS = ['203.0.113.7', '203.0.113.8', '2001:db8:0:1::/64']
/** By their text. */
export const KEYS: ReadonlyMap<string, CounterKey> = new Map(
  [...CLIENTS.map(keyOf), customKey('token {203.0.113.7}')].map((key) => [key.text, key]),
)

/** With names in place of objects, so that a history that fails can be read. */
export interface PlannedHit extends Omit<Hit, 'counter' | 'key' | 'jitter'> {
  readonly counter: string
  readonly key: string
  readonly jitter?: number
  /** A refund of the consuming hit so many before, if there was one. */
  readonly refunds?: number
}

export type Step =
  | { readonly do: 'check'; readonly hits: readonly PlannedHit[]; readonly commit: HitCommit }
  | { readonly do: 'wait'; readonly ms: number }
  /** The clock is set back. */
  | { readonly do: 'go back'; readonly ms: number }
  | { readonly do: 'ban'; readonly cidr: string; readonly length: number | undefined }
  | { readonly do: 'unban'; readonly ids: readonly string[]; readonly forgive: string | undefined }

const waits = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1, 999, 5_999, 6_000, 6_001, 8_192, 16_384, 20 * SECOND) },
  { weight: 3, arbitrary: fc.nat(MINUTE) },
  { weight: 2, arbitrary: fc.constantFrom(MINUTE - 1, MINUTE, 65_536, 65_999, 66_000, 66_001, 5 * MINUTE) },
  { weight: 1, arbitrary: fc.constantFrom(HOUR - 1, HOUR, HOUR + 1, DAY - 1, DAY, 10 * DAY, 30 * DAY) },
)

const plannedHit = (name: string, keys: readonly string[]): fc.Arbitrary<PlannedHit> => {
  const counter = COUNTERS.get(name) as Counter // names are of these
  const strikesOnly = counter.window === 0
  const bucket = counter.algorithm === 'token-bucket'
  return fc
    .record({
      key: fc.constantFrom(...keys),
      limit: strikesOnly ? fc.constant(0) : bucket ? fc.constantFrom(...BUCKET_LIMITS) : fc.integer({ min: 1, max: 6 }),
      burst: bucket ? fc.constantFrom(undefined, undefined, 3, 6) : fc.constant(undefined),
      cost: strikesOnly ? fc.constant(0) : fc.constantFrom(1, 1, 1, 0, 2, 3),
      strike: strikesOnly ? fc.constant(true) : fc.nat(11).map((n) => counter.ladder !== undefined && n === 11),
      exempt: fc.nat(19).map((n) => n === 19),
      jitter: fc.constantFrom(0, 0.5),
      refunds: fc.constantFrom(...Array.from({ length: 10 }, () => undefined), 0, 1),
    })
    .map(({ burst, strike, exempt, jitter, refunds, ...hit }) => ({
      counter: name,
      ...hit,
      ...(burst !== undefined && { burst }),
      ...(strike && { strike }),
      ...(exempt && { exempt }),
      ...(jitter > 0 && counter.ladder && { jitter }),
      ...(refunds !== undefined && { refunds }),
    }))
}

const prefixes = CLIENTS.map((text) => (text.includes('/') ? text : `${text}/32`))

function checksOf(hits: fc.Arbitrary<readonly PlannedHit[]>): fc.Arbitrary<Step> {
  return fc.record({
    do: fc.constant('check' as const),
    hits,
    commit: fc.constantFrom<HitCommit>('all', 'all', 'all', 'all', 'refusals', 'none'),
  })
}

function stepsOf(hits: fc.Arbitrary<readonly PlannedHit[]>): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 16, arbitrary: checksOf(hits) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: waits }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('go back' as const), ms: fc.integer({ min: 1, max: MINUTE }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('ban' as const),
        cidr: fc.constantFrom(...prefixes),
        length: fc.constantFrom(SECOND, MINUTE, HOUR, undefined),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('unban' as const),
        ids: fc.constantFrom(
          [],
          ...prefixes.map((cidr) => [entryOf(cidr, {}).id, entryOf(cidr, { policy: 'scoped' }).id]),
        ),
        forgive: fc.constantFrom(undefined, ...prefixes, '203.0.113.0/24', '2001:db8::/48'),
      }),
    },
  )
}

/** Some at least: half of `most` on average. */
function lists(step: fc.Arbitrary<Step>, most: number): fc.Arbitrary<readonly Step[]> {
  return fc.array(step, { minLength: 1, maxLength: most, size: 'max' })
}

/** One to three hits, by one or two clients or by custom keys, over all counters. */
const hits = fc
  .record({
    keys: fc.shuffledSubarray([...KEYS.keys()], { minLength: 1, maxLength: 2 }),
    counters: fc.shuffledSubarray([...COUNTERS.keys()], { minLength: 1, maxLength: 3 }),
  })
  .chain(({ keys, counters }) => fc.tuple(...counters.map((counter) => plannedHit(counter, keys))))

export function histories(most: number): fc.Arbitrary<readonly Step[]> {
  return lists(stepsOf(hits), most)
}

/** Up to `most` checks at a time with nothing between them, a few times. */
export function burstHistories(most: number): fc.Arbitrary<readonly Step[]> {
  const burst = fc.record({ ms: waits, checks: lists(checksOf(hits), most) })
  return fc
    .array(burst, { minLength: 1, maxLength: 5 })
    .map((bursts) => bursts.flatMap(({ ms, checks }): readonly Step[] => [...checks, { do: 'wait', ms }]))
}

/** One client on one counter, which nothing else makes a store sweep away: its clock may go back over edges. */
export function soloHistories(most: number): fc.Arbitrary<readonly Step[]> {
  return fc
    .record({ counter: fc.constantFrom(...COUNTERS.keys()), key: fc.constantFrom(...KEYS.keys()) })
    .chain(({ counter, key }) => lists(stepsOf(fc.tuple(plannedHit(counter, [key]))), most))
}

/** When histories begin: not on an edge of anything. */
export const HISTORY_START: number = SUITE_START + 1_234
