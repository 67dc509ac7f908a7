import type { Awaitable, Store } from '@ipguard/core'
import { addCase, type SuiteExpect, type SuiteTest } from '../suite-runner.ts'
import { algorithmCases } from './algorithm-cases.ts'
import { boundCases } from './bound-cases.ts'
import { entryCases } from './entry-cases.ts'
import { hitCases } from './hit-cases.ts'
import { keyCases } from './key-cases.ts'
import { ladderCases } from './ladder-cases.ts'
import { recordCases } from './record-cases.ts'
import { refundCases } from './refund-cases.ts'
import { scopeCases } from './scope-cases.ts'
import { createStoreKit, START, type StoreKit } from './store-kit.ts'
import { timeCases } from './time-cases.ts'

/** Time as the suite wants it: a store with a clock of its own must go by this one. */
export interface SuiteClock {
  /** Epoch ms. */
  now(): number
  set(epochMs: number): void
}

/** What the suite asks of a fresh, empty store. */
export interface StoreRequest {
  readonly clock: SuiteClock
  /** Counters held at most; asked for by `bounded` cases only. */
  readonly maxKeys?: number
  /** Bans held at most; asked for by `bounded` cases only. */
  readonly maxBans?: number
}

/**
 * What not every store can do.
 * - `synchronous`: `hit`, records and `entries.put` answer at once, with no promise;
 * - `bounded`: the store itself holds at most `maxKeys` counters and `maxBans` bans, and says what had to go.
 */
export type StoreCapability = 'synchronous' | 'bounded'

/** What `storeSuite` is given: the test runner, how to open and close the store, and what it cannot do. */
export interface StoreSuiteOptions {
  readonly test: SuiteTest
  readonly expect: SuiteExpect
  /** Answers a store that holds nothing; it is closed when its case ends. Called once for each case. */
  readonly createStore: (request: StoreRequest) => Awaitable<Store>
  /** For each capability that the store does not have, why. What is not named here is tested. */
  readonly capabilities?: Readonly<Partial<Record<StoreCapability, string>>>
}

/** One named promise of a store. */
export interface StoreCase {
  readonly name: string
  readonly needs?: StoreCapability
  readonly caps?: { readonly maxKeys?: number; readonly maxBans?: number }
  readonly run: (kit: StoreKit) => Promise<void>
}

/** Every case, in order; for runners that want more than `storeSuite`. */
export const storeCases: readonly StoreCase[] = [
  ...hitCases,
  ...algorithmCases,
  ...timeCases,
  ...refundCases,
  ...keyCases,
  ...ladderCases,
  ...scopeCases,
  ...recordCases,
  ...entryCases,
  ...boundCases,
]

/**
 * What every store promises, as named tests in the caller's own runner.
 *
 * No case waits for time to pass: `now` is handed to `hit`, and a store with a clock of its own is made with the suite's. A capability
 * that a store lacks is named with its reason, and shows as a test of that name; nothing is skipped in silence.
 *
 * @example
 * import { expect, test } from 'vitest'
 * storeSuite({ test, expect, createStore: ({ clock }) => memoryStore({ clock }) })
 */
export function storeSuite({ test, expect, createStore, capabilities = {} }: StoreSuiteOptions): void {
  for (const { name, needs, caps, run } of storeCases) {
    addCase(test, capabilities, { name, needs: needs ? [needs] : [] }, async () => {
      let time = START
      const clock: SuiteClock = {
        now: () => time,
        set(epochMs) {
          time = epochMs
        },
      }
      const store = await createStore({ clock, ...caps })
      try {
        await run(createStoreKit(store, clock, expect))
      } finally {
        await store.close?.()
      }
    })
  }
}
