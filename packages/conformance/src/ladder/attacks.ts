import type { Store } from '@ipguard/core'
import { hitOf, keyOf, limiter, START } from '../store-suite/store-kit.ts'

/** When an attacker sends next: ms from the start, told whether the last request was admitted and when it would have passed. */
export type Attack = (turn: { readonly at: number; readonly admitted: boolean; readonly retryAt: number }) => number

/** Patterns that beat other algorithms; `window` in ms. */
export const attacks: Readonly<Record<string, (window: number, random: () => number) => Attack>> = {
  'burst at the window edge': (window) => {
    const edge = (at: number): boolean => at % window > window * 0.98 || at % window < window * 0.02
    return ({ at }) => (edge(at + 1) ? at + 1 : (Math.floor(at / window) + 1) * window - Math.floor(window * 0.02) + 1)
  },
  'end-loaded, then steady probing': (window) => {
    return ({ at }) =>
      at < window * 0.9 ? Math.floor(window * 0.9) : at < window ? at + 1 : at + Math.ceil(window / 300)
  },
  'steady flood':
    (window) =>
    ({ at }) =>
      at + Math.max(1, Math.floor(window / 1_500)),
  'at retryAt, and a millisecond before':
    () =>
    ({ at, admitted, retryAt }) =>
      admitted ? at : retryAt - 1 > at ? retryAt - 1 : Math.max(retryAt, at + 1),
  random: (window, random) => {
    return ({ at }) => at + (random() < 0.7 ? Math.floor(random() * 4) : Math.floor(random() * window * 0.6))
  },
}

/** Runs an attack for ten windows from `offset`; answers when it was admitted, in ms from the start. */
export async function runAttack(
  store: Store,
  attack: Attack,
  options: Parameters<typeof limiter>[0] & { readonly limit: number },
  {
    window,
    offset = 0,
    client = '203.0.113.7',
  }: { readonly window: number; readonly offset?: number; readonly client?: string },
): Promise<readonly number[]> {
  const counter = limiter(options)
  const hit = hitOf(
    counter,
    keyOf(client),
    options.burst === undefined ? {} : { burst: options.burst, limit: options.limit },
  )
  const passed: number[] = []
  for (let at = 0, turns = 0; at < 10 * window && turns < 50_000; turns++) {
    const now = START + offset + at
    const [reply] = await store.hit([hit], { now, commit: 'all' })
    const admitted = reply?.admitted === true
    if (admitted) passed.push(at)
    at = attack({ at, admitted, retryAt: at + (reply?.retryIn ?? 0) })
  }
  return passed
}

/** The most that lies in any span of `window` ms, both its ends included only once. */
export function mostInAnyWindow(times: readonly number[], window: number): number {
  let most = 0
  for (let last = 0, first = 0; last < times.length; last++) {
    while ((times[last] ?? 0) - (times[first] ?? 0) >= window) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}
