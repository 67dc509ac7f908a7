import type { AdapterSetup } from '@ipguard/conformance'

/** Names the server that a request came to, so that one Next application stands for every server of a suite. */
export const SERVER_HEADER = 'x-suite-server'

/** Where the adapter stands on a server of the suite. */
export type SuitePlace = 'proxy' | 'route'

export interface SuiteSetup extends Pick<AdapterSetup, 'mounts' | 'routes'> {
  readonly place: SuitePlace
}

const KEY = Symbol.for('ipguard.suite')

interface Carrier {
  [KEY]?: Map<string, SuiteSetup>
}

/**
 * The servers that run in this process. The edge runtime is a context of its own with its own `globalThis`; this class is the one object
 * that both sides are given.
 */
export function suiteSetups(): Map<string, SuiteSetup> {
  const { AsyncLocalStorage } = globalThis as unknown as { readonly AsyncLocalStorage: Carrier } // Next puts it there
  return setupsOn(AsyncLocalStorage)
}

export function setupsOn(carrier: object): Map<string, SuiteSetup> {
  const held = carrier as Carrier
  held[KEY] ??= new Map()
  return held[KEY]
}
