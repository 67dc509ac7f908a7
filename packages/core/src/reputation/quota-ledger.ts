import type { Awaitable } from '../store/awaitable.ts'
import { createCounters } from '../store/counters.ts'
import type { Counter, CounterKey, Hit, HitReply } from '../store/hit.ts'
import type { Store } from '../store/store.ts'
import type { Quota } from './provider.ts'
import { LONGEST_TIMEOUT } from './provider-settings.ts'

/** Counts what is sent to a source, before it is sent. */
export interface QuotaLedger {
  /**
   * Takes one of each window, or nothing: 0 when it may be sent, else the ms after which it may be tried again. `reserve`: the share that
   * is left to others.
   */
  take(reserve: number): Promise<number>
}

export interface QuotaHost {
  readonly store: Store | undefined
  /** Processes that share the quota; without a store each takes its part. */
  readonly instances: number
  readonly now: () => number
  readonly hit: (hits: readonly Hit[]) => Awaitable<readonly HitReply[]>
}

const WINDOWS = { perMinute: 60_000 + LONGEST_TIMEOUT, perDay: 86_400_000 + LONGEST_TIMEOUT } as const

/**
 * The windows are longer than those of the vendor by the longest timeout: what is sent late, and arrives later, still fits. Not by the provider's
 * own: guards that differ in it use one quota, and count together.
 */
export function createQuotaLedger(provider: string, quota: Quota, host: QuotaHost): QuotaLedger {
  const key: CounterKey = { kind: 0, length: 0, a: 0, b: 0, c: 0, d: 0, text: provider }
  const counters = (['perMinute', 'perDay'] as const).flatMap((name): { counter: Counter; limit: number }[] => {
    const all = quota[name]
    if (all === undefined) return []
    const limit = host.store ? all : Math.max(1, Math.floor(all / host.instances))
    const counter: Counter = Object.freeze({
      id: `quota ${JSON.stringify(provider)} ${name}`,
      policy: provider,
      algorithm: 'sliding-window',
      window: WINDOWS[name],
      shadow: false,
      largest: limit,
      banScope: 'ban',
    })
    return [{ counter, limit }]
  })
  // Beside the store: one in this process may drop the counter in a flood of clients, and what was sent before would be forgotten.
  const own = createCounters({
    maxKeys: 4,
    bans: { table: { bans: 0 }, find: () => undefined, add: () => {} },
  })

  return {
    async take(reserve) {
      const hits = counters.map(({ counter, limit }) => ({
        counter,
        key,
        limit: limit - Math.floor(limit * reserve),
        cost: 1,
      }))
      const mine = own.hit(hits, host.now(), 'all')
      const wait = waitOf(mine)
      if (wait > 0 || !host.store) return wait
      const wider = waitOf(await host.hit(hits))
      if (wider > 0) {
        const back = hits.map((hit, i) => ({ ...hit, cost: -1, slot: mine[i]?.slot ?? 0 }))
        own.hit(back, host.now(), 'all')
      }
      return wider
    },
  }
}

function waitOf(replies: readonly HitReply[]): number {
  return Math.max(0, ...replies.map(({ admitted, retryIn }) => (admitted ? 0 : Math.max(1, retryIn))))
}
