import { type StoreRequest, storeCases, storeSuite } from '@ipguard/conformance'
import type { Store } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { storeDefects } from './store-defects.ts'
import { plainStore } from './store-plain.ts'

/** Runs the suite in a runner of ours; answers the names of the cases that failed. */
async function failing(createStore: (request: StoreRequest) => Store): Promise<readonly string[]> {
  const cases: (readonly [name: string, run: () => Promise<void>])[] = []
  storeSuite({ test: (name, run) => cases.push([name, run]), expect, createStore })
  const failed: string[] = []
  for (const [name, run] of cases) {
    const passed = await run().then(
      () => true,
      () => false,
    )
    if (!passed) failed.push(name)
  }
  return failed
}

describe('a broken store', () => {
  it('is not the one that the table starts from', async () => {
    expect(await failing(plainStore)).toEqual([])
  })

  it.each(storeDefects)('that $name fails exactly the cases named', async ({ break: broken, fails }) => {
    expect(await failing((request) => broken(plainStore(request), request))).toEqual(fails)
  })

  it('is found out by some case in each part of the suite', () => {
    const parts = new Set(storeCases.map(({ name }) => name.split(':')[0]))
    const found = new Set(storeDefects.flatMap(({ fails }) => fails).map((name) => name.split(':')[0]))
    expect([...parts].filter((part) => !found.has(part))).toEqual(['close'])
  })
})

describe('a capability that a store lacks', () => {
  it('is named with its reason in place of its cases', () => {
    const names: string[] = []
    storeSuite({
      test: (name) => names.push(name),
      expect,
      createStore: plainStore,
      capabilities: { bounded: 'the server has one bound for all', synchronous: 'it is across the network' },
    })
    expect(names.length).toBe(storeCases.length)
    expect(names.filter((name) => name.includes('(not'))).toEqual(
      storeCases
        .filter(({ needs }) => needs)
        .map(({ name, needs }) =>
          needs === 'bounded'
            ? `${name} (not bounded: the server has one bound for all)`
            : `${name} (not synchronous: it is across the network)`,
        ),
    )
  })
})
