import { type ProviderSetup, providerCases, providerSuite } from '@ipguard/conformance'
import type { Provider } from '@ipguard/core'
import { afterEach, describe, expect, it } from 'vitest'
import { providerDefects } from './provider-defects.ts'
import { plainProvider } from './provider-plain.ts'

const http = {
  listed: () => ({ body: { listed: true, score: 90 } }),
  unlisted: () => ({ body: { listed: false } }),
  quota: { body: { error: 'quota' } },
  refused: { status: 401, body: {} },
  wrong: [{ body: { listed: true, score: 'abc' } }],
}

/** Runs the suite in a runner of ours, its cases side by side unless they must not; answers the names of those that failed. */
async function failing(create: (setup: ProviderSetup) => Provider, alone = false): Promise<readonly string[]> {
  const cases: (readonly [name: string, run: () => Promise<void>])[] = []
  providerSuite({ test: (name, run) => cases.push([name, run]), expect, create, http })
  const judge = async ([name, run]: (typeof cases)[number]): Promise<readonly string[]> =>
    run().then(
      () => [],
      () => [name],
    )
  if (!alone) return (await Promise.all(cases.map(judge))).flat()
  const failed: string[] = []
  for (const each of cases) failed.push(...(await judge(each)))
  return failed
}

/** What one of the defects leaves behind. */
afterEach(() => {
  Reflect.deleteProperty(Object.prototype, 'hostile')
})

describe('a broken provider', () => {
  it('is not the one that the table starts from', async () => {
    expect(await failing(plainProvider)).toEqual([])
  })

  it.each(providerDefects)('that $name fails exactly the cases named', async ({ create, fails, alone }) => {
    expect((await failing(create, alone)).toSorted()).toEqual(fails.toSorted())
  })

  it('is found out by every case of the suite', () => {
    const found = new Set(providerDefects.flatMap(({ fails }) => fails))
    expect(providerCases.map(({ name }) => name).filter((name) => !found.has(name))).toEqual([])
  })
})

describe('a capability that a provider lacks', () => {
  it('is named with its reason in place of its cases', () => {
    const names: string[] = []
    const capabilities = {
      http: 'it reads a file',
      network: 'it reads a file',
      garbled: 'it is checked when it is loaded',
    }
    providerSuite({ test: (name) => names.push(name), expect, create: plainProvider, capabilities })
    expect(names.length).toBe(providerCases.length)
    expect(names.filter((name) => name.includes(' (not '))).toEqual(
      providerCases
        .filter(({ needs }) => needs)
        .map(({ name, needs = 'http' }) => `${name} (not ${needs}: ${capabilities[needs]})`),
    )
  })

  it('has to be named: without `http` the suite asks why', () => {
    expect(() => providerSuite({ test: () => undefined, expect, create: plainProvider })).toThrow('capabilities.http')
  })
})
