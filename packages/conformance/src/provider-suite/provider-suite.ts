import type { Awaitable, Duration, Provider } from '@ipguard/core'
import { addCase, type SuiteExpect, type SuiteTest } from '../suite-runner.ts'
import { answerCases } from './answer-cases.ts'
import { bodyCases } from './body-cases.ts'
import { guardCases } from './guard-cases.ts'
import { createProviderKit, type ProviderKit, type SuiteAddresses } from './provider-kit.ts'
import { secretCases } from './secret-cases.ts'
import type { StandInAnswer } from './stand-in.ts'
import { statusCases } from './status-cases.ts'
import { timeCases } from './time-cases.ts'

/**
 * What a source is up to:
 * - `well`: it answers;
 * - `silent`: it takes the question and never answers;
 * - `failing`: it cannot be reached, or breaks off;
 * - `garbled`: it answers with what cannot be read.
 */
export type SourceState = 'well' | 'silent' | 'failing' | 'garbled'

/** What the suite asks of a fresh provider. */
export interface ProviderSetup {
  /** Where the suite's stand-in is; `''` without `http`. */
  readonly baseUrl: string
  /** To be used as the key of the source, if it has one. */
  readonly key: string
  /** To be the provider's deadline. */
  readonly timeout: Duration
  /** With `http` the stand-in sees to it; without, the source has to be brought into it. */
  readonly state: SourceState
}

/** How a source over HTTP answers; the suite's stand-in answers like that. */
export interface HttpSource {
  /** About an address that it knows something bad of. */
  readonly listed: (ip: string) => StandInAnswer
  /** About one that it does not. */
  readonly unlisted: (ip: string) => StandInAnswer
  /** When its quota is used up, if it says so in other words than status 429. */
  readonly quota?: StandInAnswer
  /** When the key is wrong or the caller is shut out. */
  readonly refused?: StandInAnswer
  /** Bodies of its own that must not be taken for an answer, such as a score that is a text. */
  readonly wrong?: readonly StandInAnswer[]
  /** Of the bodies that the suite takes for wrong (`[]`, `{}`, `null`, `1`, `"text"`), those that mean something here. */
  readonly meaningful?: readonly string[]
}

/**
 * What not every provider has to do with.
 * - `http`: it asks over HTTP;
 * - `network`: it asks somebody at all, and so can wait, fail and be aborted;
 * - `garbled`: what it reads can be damaged.
 */
export type ProviderCapability = 'http' | 'network' | 'garbled'

/** What `providerSuite` is given: the test runner, the provider on a stand-in of its source, and what the source cannot do. */
export interface ProviderSuiteOptions {
  readonly test: SuiteTest
  readonly expect: SuiteExpect
  /** Makes a provider as users do; it is closed when its case ends. */
  readonly create: (setup: ProviderSetup) => Awaitable<Provider>
  /** How the source answers over HTTP. Left out: say why in `capabilities.http`, and bring the states about in `create`. */
  readonly http?: HttpSource
  /** Without `http`: what the source has been asked, so far as it can be seen. */
  readonly asked?: () => readonly string[]
  /** Addresses of which the source knows two and does not know one; ordinary public ones. */
  readonly addresses?: Partial<SuiteAddresses>
  /** A key in the form that the provider accepts. */
  readonly key?: string
  /** For each capability that the provider does not have, why. What is not named here is tested. */
  readonly capabilities?: Readonly<Partial<Record<ProviderCapability, string>>>
}

/** One named promise of a provider. */
export interface ProviderCase {
  readonly name: string
  readonly needs?: ProviderCapability
  readonly run: (kit: ProviderKit) => Promise<void>
}

/** Every case, in order; for runners that want more than `providerSuite`. */
export const providerCases: readonly ProviderCase[] = [
  ...answerCases,
  ...timeCases,
  ...statusCases,
  ...bodyCases,
  ...secretCases,
  ...guardCases,
]

// Never contacted: they are only spoken of to sources on this machine.
const ADDRESSES: SuiteAddresses = { listed: '185.220.101.34', unlisted: '9.9.9.9', ipv6: '2620:7:6001::166' }

/** With characters that look different in URLs and in base64. */
const KEY = 'canary/key+of&the=suite~1'

/**
 * What every provider promises, as named tests in the caller's own runner: against a stand-in on this machine that answers as `http` says and
 * then misbehaves, or against a source of the caller's own. Needs Node.
 *
 * No case waits for time to pass; where a deadline is tested it is a fraction of a second. A capability that a provider lacks is named with
 * its reason, and shows as a test of that name; nothing is skipped in silence.
 *
 * @example
 * import { expect, test } from 'vitest'
 * providerSuite({
 *   test,
 *   expect,
 *   create: ({ baseUrl, timeout, key }) => myProvider({ baseUrl, timeout, key }),
 *   http: { listed: () => ({ body: { score: 90 } }), unlisted: () => ({ body: { score: 0 } }) },
 * })
 */
export function providerSuite(options: ProviderSuiteOptions): void {
  const { test, http, capabilities = {}, key = KEY } = options
  if (!http && capabilities.http === undefined) {
    throw new Error('providerSuite needs `http`, or in `capabilities.http` the reason why there is none.')
  }
  const addresses = { ...ADDRESSES, ...options.addresses }
  for (const { name, needs, run } of providerCases) {
    addCase(test, capabilities, { name, needs: needs ? [needs] : [] }, async () => {
      const kit = await createProviderKit(options, addresses, key)
      try {
        await run(kit)
      } finally {
        await kit.close()
      }
    })
  }
}
