import {
  type Counter,
  type CounterKey,
  createEntry,
  type Entry,
  type EntryChange,
  type Hit,
  type HitCommit,
  type HitReply,
  parsePrefix,
  type RateLimitOptions,
  rateLimit,
  type Store,
} from '@ipguard/core'
import type { SuiteExpect } from '../suite-runner.ts'
import type { SuiteClock } from './store-suite.ts'

/** The suite's time 0: a multiple of every window it uses, beyond 32 bits. */
export const START = 1_800_000_000_000

/** What a case works with. All times are ms from the suite's start. */
export interface StoreKit {
  readonly store: Store
  readonly expect: SuiteExpect
  /** Sets the clock. */
  readonly at: (ms: number) => void
  /** Sends hits together. */
  readonly send: (at: number, hits: readonly Hit[], commit?: HitCommit) => Promise<readonly HitReply[]>
  /** Sends one hit. */
  readonly one: (at: number, hit: Hit, commit?: HitCommit) => Promise<HitReply>
  /** Sends the hit `count` times, one after the other; answers how many were admitted. */
  readonly admitted: (at: number, hit: Hit, count: number) => Promise<number>
  /** The entries that `load` answers at that time. */
  readonly entries: (at: number) => Promise<readonly Entry[]>
  /** A watch that can be waited for. */
  readonly watch: () => {
    readonly changes: EntryChange[]
    readonly until: (done: (changes: readonly EntryChange[]) => boolean) => Promise<void>
    readonly stop: () => void
  }
}

export function createStoreKit(store: Store, clock: SuiteClock, expect: SuiteExpect): StoreKit {
  const kit: StoreKit = {
    store,
    expect,
    at: (ms) => clock.set(START + ms),
    async send(at, hits, commit = 'all') {
      kit.at(at)
      return store.hit(hits, { now: START + at, commit })
    },
    async one(at, hit, commit) {
      const [reply] = await kit.send(at, [hit], commit)
      if (!reply) throw new Error('The store gave no reply to a hit.')
      return reply
    },
    async admitted(at, hit, count) {
      let admitted = 0
      for (let i = 0; i < count; i++) if ((await kit.one(at, hit)).admitted) admitted++
      return admitted
    },
    async entries(at) {
      // A store without a clock of its own goes by the latest time that it was told.
      await kit.one(at, hitOf(limiter({ limit: 1, window: '1s', name: 'time' }), keyOf('192.0.2.255'), { cost: 0 }))
      const all: Entry[] = []
      for await (const page of store.entries.load()) all.push(...page)
      return all.sort((x, y) => (x.id < y.id ? -1 : 1))
    },
    watch() {
      const changes: EntryChange[] = []
      let heard: () => void = () => {}
      const stop = store.entries.watch((change) => {
        changes.push(change)
        heard()
      })
      return {
        changes,
        stop,
        async until(done) {
          while (!done(changes)) {
            await new Promise<void>((resolve) => {
              heard = resolve
            })
          }
        },
      }
    },
  }
  return kit
}

/** The counter of `rateLimit(options)`; with `shadow` the one of its shadow namespace. */
export function limiter(options: RateLimitOptions<unknown>, shadow = false): Counter {
  const counter = rateLimit(options).counter?.(shadow)
  if (!counter) throw new Error('rateLimit made no counter.')
  return counter
}

/** The key of a client: an address, or a prefix. */
export function keyOf(text: string): CounterKey {
  const { address, length } = parsePrefix(text)
  return { kind: address.family, length, a: address.a, b: address.b, c: address.c, d: address.d, text }
}

/** A custom key: any text. */
export function customKey(text: string): CounterKey {
  return { kind: 0, length: 0, a: 0, b: 0, c: 0, d: 0, text }
}

/** A hit of cost 1 with the counter's own limit, unless said otherwise. */
export function hitOf(counter: Counter, key: CounterKey, fields: Partial<Hit> = {}): Hit {
  return { counter, key, limit: counter.largest, cost: 1, ...fields }
}

/** An entry; times in ms from the suite's start. */
export function entryOf(
  cidr: string,
  fields: { readonly kind?: Entry['kind']; readonly at?: number; readonly until?: number } & Partial<
    Omit<Entry, 'kind'>
  >,
): Entry {
  const { kind = 'ban', at = 0, until, ...rest } = fields
  return createEntry(parsePrefix(cidr), {
    kind,
    by: 'manual',
    createdAt: START + at,
    ...(until === undefined ? {} : { expiresAt: START + until }),
    ...rest,
  })
}

/** `count` clients that differ in nothing but the address. */
export function manyKeys(count: number): readonly CounterKey[] {
  return Array.from({ length: count }, (_, i) => keyOf(`198.18.${i >> 8}.${i & 255}`))
}
