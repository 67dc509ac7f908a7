import type { Counter, CounterKey, Hit, HitCommit } from '@ipguard/core'
import { digest, type Keys } from './keys.ts'

/** What a check asks of the script: the hashes that it reads, and a text that says everything else. */
export interface HitSpec {
  readonly keys: readonly string[]
  readonly spec: string
}

/** A counter's own part of every spec: names of fields, and what does not change from hit to hit. */
interface CounterFields {
  readonly count: string
  readonly strikes: string
  readonly bans: readonly string[]
  /** The field of the bans that its ladder makes. */
  readonly own: string
  readonly tail: string
  /** Specs of checks with this counter alone, by what differs between them. */
  readonly single: Map<string, string>
  /** The one asked for last. */
  last: SingleSpec
}

interface SingleSpec {
  readonly limit: number
  readonly cost: number
  readonly commit: HitCommit
  readonly custom: boolean
  readonly burst: number | undefined
  readonly exempt: boolean | undefined
  readonly lease: number | undefined
  readonly spec: string
}

const NO_SPEC: SingleSpec = {
  limit: -1,
  cost: 0,
  commit: 'none',
  custom: false,
  burst: undefined,
  exempt: undefined,
  lease: undefined,
  spec: '',
}

const METERS = { 'sliding-window': 1, 'fixed-window': 2, 'token-bucket': 3 } as const
const COMMITS = { all: 0, refusals: 1, none: 2 } as const
const SITE = 'ban'
/** As the counters in memory: limits beyond are this one. */
const MOST = 0xffff_ffff
/** Specs kept for one counter; a `limit` function may give any number of limits. */
const MOST_SPECS = 64

const known = new WeakMap<Counter, CounterFields>()

/** With the amount that is asked for as a lease, when there is one. */
export interface LeasedHit extends Hit {
  readonly lease?: number
}

/** The field of bans of this scope (see `entryScope` in core). */
export function banField(scope: string): string {
  return scope === SITE ? 'b' : `b${digest(scope).slice(0, 10)}`
}

/** The check's hits in the words of the script. On a cluster all hits of a check must be of one key. */
export function hitSpec(hits: readonly LeasedHit[], commit: HitCommit, keys: Keys): HitSpec {
  const [only] = hits
  if (hits.length === 1 && only && isPlain(only)) {
    const { counter, limit, cost, key } = only
    const fields = fieldsOf(counter)
    const { single, last } = fields
    // Nearly always the same as before.
    if (
      last.limit === limit &&
      last.cost === cost &&
      last.commit === commit &&
      last.custom === (key.kind === 0) &&
      last.burst === only.burst &&
      last.exempt === only.exempt &&
      last.lease === only.lease
    )
      return { keys: [keys.counted(key)], spec: last.spec }
    const name = `${limit} ${cost} ${commit} ${key.kind === 0} ${only.burst} ${only.exempt} ${only.lease}`
    let spec = single.get(name)
    if (spec === undefined) {
      spec = build(hits, commit).spec
      if (single.size >= MOST_SPECS) single.clear()
      single.set(name, spec)
    }
    fields.last = {
      limit,
      cost,
      commit,
      custom: key.kind === 0,
      burst: only.burst,
      exempt: only.exempt,
      lease: only.lease,
      spec,
    }
    return { keys: [keys.counted(key)], spec }
  }
  const { order, spec } = build(hits, commit)
  return { keys: order.map((key) => keys.counted(key)), spec }
}

function isPlain({ slot, strike, jitter }: Hit): boolean {
  return slot === undefined && !strike && !jitter
}

function build(hits: readonly LeasedHit[], commit: HitCommit): { readonly order: CounterKey[]; readonly spec: string } {
  const order: CounterKey[] = []
  const body = hits.map((hit) => {
    const { counter, key } = hit
    const known = order.findIndex(({ kind, text }) => kind === key.kind && text === key.text)
    const at = known < 0 ? order.push(key) : known + 1
    const fields = fieldsOf(counter)
    const { ladder, window } = counter
    return [
      at,
      fields.count,
      METERS[counter.algorithm],
      window,
      Math.min(hit.burst ?? hit.limit, MOST),
      Math.min(hit.limit, MOST),
      hit.cost,
      hit.slot ?? false,
      counter.shadow,
      hit.strike === true,
      key.kind === 0 ? [] : fields.bans,
      ladder !== undefined &&
        key.kind !== 0 && [
          fields.strikes,
          hit.exempt === true,
          ladder.tiers.at(-1)?.after ?? 1,
          ladder.decay,
          ladder.tiers.map((tier) => [tier.after, tier.within, tier.ban, JSON.stringify(tier.name)]),
          1 + ladder.jitter * (hit.jitter ?? 0),
          fields.own,
          fields.tail,
        ],
      hit.lease ?? false,
    ]
  })
  const [only] = hits
  const simple =
    hits.length === 1 &&
    commit === 'all' &&
    only &&
    isPlain(only) &&
    only.cost > 0 &&
    only.counter.window > 0 &&
    only.counter.algorithm !== 'token-bucket' &&
    !only.lease
  return { order, spec: JSON.stringify([COMMITS[commit], order.length, body, simple === true]) }
}

function fieldsOf(counter: Counter): CounterFields {
  let fields = known.get(counter)
  if (!fields) {
    const name = digest(counter.id).slice(0, 8)
    const { policy, shadow, banScope, ladder } = counter
    const own = banField(banScope)
    const scoped = ladder?.scope === 'policy' || shadow ? { policy } : {}
    fields = {
      count: name,
      strikes: `s${name}`,
      // A shadow counter sees its own bans only.
      bans: shadow ? [own] : [...new Set(['b', own])],
      own,
      // The rest of the ban as JSON, after the tier's name.
      tail: `,${JSON.stringify({ by: policy, ...scoped, ...(shadow ? { shadow: true } : {}) }).slice(1)}`,
      single: new Map(),
      last: NO_SPEC,
    }
    known.set(counter, fields)
  }
  return fields
}
