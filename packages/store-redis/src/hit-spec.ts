import type { Counter, CounterKey, Hit, HitCommit } from '@ipguard/core'
import { digest, type Keys } from './keys.ts'

/** What a check asks of the script: the clients that it reads, and a text that says everything else. */
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
  /** Its hits in the words of the script, by what differs between them. */
  readonly texts: Map<string, HitText>
  /** The one asked for last. */
  last: HitText
}

/** A hit in the words of the script, and what it was made of. */
interface HitText {
  readonly limit: number
  readonly cost: number
  readonly custom: boolean
  readonly burst: number | undefined
  readonly exempt: boolean | undefined
  readonly lease: number | undefined
  /** The fields after the one that says whose it is. */
  readonly text: string
  /** The spec of a check that is this hit and no more. */
  readonly alone: string
}

const NO_TEXT: HitText = {
  limit: -1,
  cost: 0,
  custom: false,
  burst: undefined,
  exempt: undefined,
  lease: undefined,
  text: '',
  alone: '',
}

const METERS = { 'sliding-window': 1, 'fixed-window': 2, 'token-bucket': 3 } as const
const COMMITS = { all: 0, refusals: 1, none: 2 } as const
const SITE = 'ban'
/** As the counters in memory: limits beyond are this one. */
const MOST = 0xffff_ffff
/** Texts kept for one counter; a `limit` function may give any number of limits. */
const MOST_TEXTS = 64

const known = new WeakMap<Counter, CounterFields>()

/** With the amount that is asked for as a lease, when there is one. */
export interface LeasedHit extends Hit {
  readonly lease?: number
}

/** The field of bans of this scope (see `entryScope` in core). */
export function banField(scope: string): string {
  return scope === SITE ? 'b' : `b${digest(scope).slice(0, 10)}`
}

/** The check's hits in the words of the script. On a cluster the keys are of one slot, see `slot-splitter.ts`. */
export function hitSpec(hits: readonly LeasedHit[], commit: HitCommit, keys: Keys): HitSpec {
  const [only] = hits
  if (hits.length === 1 && only) {
    const { text, alone } = textOf(only)
    return { keys: [keys.counted(only.key)], spec: commit === 'all' ? alone : specOf(commit, 1, `[1,${text}]`, false) }
  }
  const order: CounterKey[] = []
  let body = ''
  for (const hit of hits) {
    const { key } = hit
    const known = order.findIndex(({ kind, text }) => kind === key.kind && text === key.text)
    body += `${body && ','}[${known < 0 ? order.push(key) : known + 1},${textOf(hit).text}]`
  }
  return { keys: order.map((key) => keys.counted(key)), spec: specOf(commit, order.length, body, false) }
}

function specOf(commit: HitCommit, keys: number, body: string, simple: boolean): string {
  return `[${COMMITS[commit]},${keys},[${body}],${simple}]`
}

function textOf(hit: LeasedHit): HitText {
  const fields = fieldsOf(hit.counter)
  if (!isPlain(hit)) return render(hit, fields)
  const { last } = fields
  const { limit, cost, burst, exempt, lease } = hit
  const custom = hit.key.kind === 0
  // Nearly always the same as before.
  if (
    last.limit === limit &&
    last.cost === cost &&
    last.custom === custom &&
    last.burst === burst &&
    last.exempt === exempt &&
    last.lease === lease
  )
    return last
  const name = `${limit} ${cost} ${custom} ${burst} ${exempt} ${lease}`
  const text = fields.texts.get(name) ?? render(hit, fields)
  if (fields.texts.size >= MOST_TEXTS) fields.texts.clear()
  fields.texts.set(name, text)
  fields.last = text
  return text
}

function isPlain({ slot, strike, jitter }: Hit): boolean {
  return slot === undefined && !strike && !jitter
}

function render(hit: LeasedHit, fields: CounterFields): HitText {
  const { counter, key, limit, cost, burst, exempt, lease } = hit
  const { ladder, window, algorithm } = counter
  const custom = key.kind === 0
  const text = JSON.stringify([
    fields.count,
    METERS[algorithm],
    window,
    Math.min(burst ?? limit, MOST),
    Math.min(limit, MOST),
    cost,
    hit.slot ?? false,
    counter.shadow,
    hit.strike === true,
    custom ? [] : fields.bans,
    ladder !== undefined && [
      fields.strikes,
      // A custom key is no client: it has no strikes.
      exempt === true || custom,
      ladder.tiers.at(-1)?.after ?? 1,
      ladder.decay,
      ladder.tiers.map((tier) => [tier.after, tier.within, tier.ban, JSON.stringify(tier.name)]),
      1 + ladder.jitter * (hit.jitter ?? 0),
      fields.own,
      fields.tail,
    ],
    lease ?? false,
  ]).slice(1, -1)
  const simple = isPlain(hit) && cost > 0 && window > 0 && algorithm !== 'token-bucket' && !lease
  return { limit, cost, custom, burst, exempt, lease, text, alone: specOf('all', 1, `[1,${text}]`, simple) }
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
      texts: new Map(),
      last: NO_TEXT,
    }
    known.set(counter, fields)
  }
  return fields
}
