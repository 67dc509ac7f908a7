import { describe, expect, it } from 'vitest'
import { adapterSuite } from '../src/index.ts'
import { type Fault, faults } from './adapter-faults.ts'
import { faultyAdapter } from './adapter-faulty.ts'
import { partsStore } from './adapter-store.ts'

/** The names of the cases that an adapter fails. */
async function failures(fault: Fault | undefined): Promise<readonly string[]> {
  const cases: { readonly name: string; readonly run: () => Promise<void> }[] = []
  adapterSuite({
    test: (name, run) => cases.push({ name, run }),
    expect,
    createStore: partsStore,
    start: faultyAdapter(fault),
  })
  const failed: string[] = []
  for (const { name, run } of cases) await run().catch(() => failed.push(name))
  return failed
}

describe('adapterSuite', () => {
  it('passes an adapter without a fault', async () => {
    expect(await failures(undefined)).toEqual([])
  })

  it.each(Object.entries(faults))('finds one that %s', async (fault, names) => {
    expect(await failures(fault as Fault)).toEqual(names) // the keys of the table
  })

  it('gives each case a name of its own', () => {
    const names: string[] = []
    adapterSuite({ test: (name) => names.push(name), expect, createStore: partsStore, start: faultyAdapter(undefined) })
    expect(new Set(names).size).toBe(names.length)
  })

  it('shows what an adapter lacks, with the reason, as a test that passes', async () => {
    const cases = new Map<string, () => Promise<void>>()
    adapterSuite({
      test: (name, run) => cases.set(name, run),
      expect,
      createStore: partsStore,
      start: () => Promise.reject(new Error('Nothing is started for what is lacking.')),
      capabilities: { upgrade: 'the framework has no sockets' },
    })
    const lacking = [...cases].filter(([name]) => name.endsWith('(not upgrade: the framework has no sockets)'))
    expect(lacking.length).toBe(4)
    for (const [, run] of lacking) await run()
  })
})
