import type { Store } from '@ipguard/core'
import { addCase, type SuiteExpect, type SuiteTest } from '../suite-runner.ts'
import { type AdapterCase, createAdapterKit } from './adapter-case.ts'
import type { AdapterCapability, AdapterServer, AdapterSetup } from './adapter-driver.ts'
import { addressCases } from './address-cases.ts'
import { answerCases } from './answer-cases.ts'
import { connectionCases } from './connection-cases.ts'
import { decisionCases } from './decision-cases.ts'
import { pathCases } from './path-cases.ts'
import { refusalCases } from './refusal-cases.ts'
import { upgradeCases } from './upgrade-cases.ts'

/** What `adapterSuite` is given: the test runner, the adapter, and what it cannot do by its nature. */
export interface AdapterSuiteOptions {
  readonly test: SuiteTest
  readonly expect: SuiteExpect
  /** Answers a store that holds nothing, such as `memoryStore`. */
  readonly createStore: () => Store
  /** Starts a real server as the setup says; called at least once for each case. */
  readonly start: (setup: AdapterSetup) => Promise<AdapterServer>
  /** For each capability that the adapter does not have, why. What is not named here is tested. */
  readonly capabilities?: Readonly<Partial<Record<AdapterCapability, string>>>
}

export type { AdapterCase } from './adapter-case.ts'

/** Every case, in order; for runners that want more than `adapterSuite`. */
export const adapterCases: readonly AdapterCase[] = [
  ...answerCases,
  ...refusalCases,
  ...decisionCases,
  ...connectionCases,
  ...addressCases,
  ...pathCases,
  ...upgradeCases,
]

/**
 * What every adapter promises, as named tests in the caller's own runner, over HTTP against real servers on this machine. Needs Node.
 *
 * No case waits for time to pass. A capability that an adapter lacks is named with its reason, and shows as a test of that name; nothing is
 * skipped in silence.
 *
 * @example
 * import { expect, test } from 'vitest'
 * adapterSuite({ test, expect, createStore: () => memoryStore(), start: startExpress })
 */
export function adapterSuite({ test, expect, createStore, start, capabilities = {} }: AdapterSuiteOptions): void {
  for (const each of adapterCases) {
    addCase(test, capabilities, each, async () => {
      const kit = createAdapterKit(expect, createStore, start)
      try {
        await each.run(kit)
      } finally {
        await kit.close()
      }
    })
  }
}
