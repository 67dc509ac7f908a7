import { memoryStore } from '@ipguard/store-memory'
import { decideAlone } from '../../../packages/conformance/src/decisions/decision-scenario.ts'
import { decisionScenarios } from '../../../packages/conformance/src/decisions/decision-scenarios.ts'
import { ladderSuite } from '../../../packages/conformance/src/ladder/ladder-suite.ts'
import { storeSuite } from '../../../packages/conformance/src/store-suite/store-suite.ts'
import { addressCases } from './address-cases.ts'
import { coreCases } from './core-cases.ts'
import { expect } from './expect.ts'
import { fetchCases } from './fetch-cases.ts'
import { type CaseResult, createCases } from './run-cases.ts'

/** Every case that needs no server, on the runtime that calls it. */
export function runAllCases(): Promise<readonly CaseResult[]> {
  const { test, run } = createCases()
  coreCases(test, expect)
  addressCases(test, expect)
  for (const scenario of decisionScenarios) {
    test(`core: decisions: ${scenario.name}`, async () => {
      expect(await decideAlone(scenario, memoryStore())).toEqual(scenario.decisions)
    })
  }
  fetchCases(test, expect)
  storeSuite({ test: prefixed('store-memory: '), expect, createStore: (options) => memoryStore(options) })
  ladderSuite({ test: prefixed('store-memory: ladder: '), expect, createStore: ({ clock }) => memoryStore({ clock }) })
  return run()

  function prefixed(group: string): typeof test {
    return (name, body) => test(group + name, body)
  }
}
