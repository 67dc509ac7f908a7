import type { AdapterCapability, AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { memoryStore } from '@ipguard/store-memory'
import { adapterSuite } from '../../../packages/conformance/src/adapter-suite/adapter-suite.ts'
import { expect } from '../cases/expect.ts'
import { createCases } from '../cases/run-cases.ts'

export type Start = (setup: AdapterSetup) => Promise<AdapterServer>

export interface SuiteOfAdapter {
  readonly start: Start
  /** What a runtime does not have, and why. */
  readonly capabilities?: Readonly<Partial<Record<AdapterCapability, string>>>
}

/** What no adapter of plain Fetch handlers has. */
export const FETCH_LACKS = { before: 'a handler answers a response of its own' } as const

/**
 * The whole suite of each adapter against its own servers, in this process; the results are one line of JSON.
 *
 * `impossible`: cases that cannot be made on a runtime, by name, and why. A name that no case has is a failure.
 */
export async function runSuites(
  adapters: Readonly<Record<string, Start | SuiteOfAdapter>>,
  impossible: Readonly<Record<string, string>> = {},
): Promise<never> {
  const { test, run } = createCases()
  for (const [name, given] of Object.entries(adapters)) {
    const unmet = new Set(Object.keys(impossible))
    adapterSuite({
      ...(typeof given === 'function' ? { start: given } : given),
      test(title, body) {
        const reason = impossible[title]
        unmet.delete(title)
        if (reason === undefined) test(`${name}: ${title}`, body)
        else test(`${name}: ${title} (impossible: ${reason})`, async () => {})
      },
      expect,
      createStore: () => memoryStore(),
    })
    test(`${name}: the cases that are impossible here exist`, async () => {
      expect([...unmet]).toEqual([])
    })
  }
  console.log(JSON.stringify(await run()))
  process.exit(0)
}
