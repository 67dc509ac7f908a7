import type { IpGuardErrorCode, Provider, Verdict } from '@ipguard/core'
import type { SuiteExpect } from '../suite-runner.ts'
import type { ProviderSetup, ProviderSuiteOptions, SourceState } from './provider-suite.ts'
import { bodyText, type StandIn, type StandInAnswer, startStandIn, writeAnswer } from './stand-in.ts'

/** What a case works with. Providers and the stand-in end with the case. */
export interface ProviderKit {
  readonly expect: SuiteExpect
  readonly addresses: SuiteAddresses
  readonly key: string
  /** How the source answers, for sources over HTTP. */
  readonly http: NonNullable<ProviderSuiteOptions['http']>
  /** The source itself, for sources over HTTP. */
  readonly standIn: StandIn
  /** A new provider whose source is in that state. */
  readonly create: (setup?: Partial<Pick<ProviderSetup, 'state' | 'timeout' | 'baseUrl'>>) => Promise<Provider>
  /** What the source has been asked for, as far as that can be told. */
  readonly asked: () => readonly string[]
  /** The error of a look-up that has to fail, within a bound. */
  readonly failure: (lookup: Promise<unknown>) => Promise<Failure>
}

/** Addresses that the source knows, and one that it does not. */
export interface SuiteAddresses {
  readonly listed: string
  readonly unlisted: string
  readonly ipv6: string
}

/** What a failed look-up came to; `code` is undefined when it did not fail, or not with a code. */
export interface Failure {
  readonly code: IpGuardErrorCode | undefined
  readonly retryAfter: number | undefined
  readonly error: unknown
}

/** Far longer than any look-up of the suite takes on a loaded machine. */
const PATIENCE = 5_000

export async function createProviderKit(
  options: ProviderSuiteOptions,
  addresses: SuiteAddresses,
  key: string,
): Promise<ProviderKit & { close(): Promise<void> }> {
  const { expect, http } = options
  const providers: Provider[] = []
  const standIn = http && (await startStandIn((request, response) => writeAnswer(response, answerFor(request.text))))

  function answerFor(text: string): StandInAnswer {
    if (!http) throw new Error('There is no stand-in without `http`.')
    const ip = allOf(addresses).find((address) => mentions(text, address)) ?? 'nothing known'
    return ip === addresses.unlisted ? http.unlisted(ip) : http.listed(ip)
  }

  const missing = (what: string): never => {
    throw new Error(`A case without "needs" asks for ${what}.`)
  }
  return {
    expect,
    addresses,
    key,
    get http() {
      return http ?? missing('http')
    },
    get standIn() {
      return standIn ?? missing('the stand-in')
    },
    async create({ state = 'well', timeout = 60_000, baseUrl = standIn?.url ?? '' } = {}) {
      if (standIn) breakHttp(standIn, state)
      const provider = await options.create({ state, timeout, baseUrl, key })
      providers.push(provider)
      return provider
    },
    asked: () => standIn?.requests.map(({ text }) => text) ?? options.asked?.() ?? [],
    failure: (pending) => handled(failure(pending)),
    async close() {
      for (const provider of providers) await provider.close?.()
      await standIn?.close()
    },
  }
}

/** The states that a source without HTTP has to bring about itself. */
function breakHttp(standIn: StandIn, state: SourceState): void {
  if (state === 'silent') standIn.behave(() => undefined)
  if (state === 'failing') standIn.behave((_, response) => response.socket?.destroy())
  if (state === 'garbled') standIn.behave((_, response) => writeAnswer(response, { body: '{"' }))
}

/** An address as a whole: 9.9.9.9 is not in 9.9.9.99. */
export function mentions(text: string, address: string): boolean {
  const at = text.toLowerCase().indexOf(address)
  if (at < 0) return false
  return !/[\w.:]/.test(text[at - 1] ?? '') && !/[\w.:]/.test(text[at + address.length] ?? '')
}

/** Looks an address up; with no signal given, one that is never aborted. */
export function lookup(
  provider: Provider,
  ip: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<Verdict | undefined> {
  return handled((async () => provider.lookup(ip, { signal }))())
}

/** The same promise; a case that has failed before it looks at it leaves no unhandled rejection. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

export function allOf({ listed, unlisted, ipv6 }: SuiteAddresses): readonly string[] {
  return [listed, unlisted, ipv6]
}

/** Answers, or throws when it takes longer than a look-up of the suite may. */
export async function within<T>(promise: Promise<T>, what: string, ms: number = PATIENCE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms.`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

async function failure(pending: Promise<unknown>): Promise<Failure> {
  const settled = pending.then(
    () => ({ error: undefined }),
    (error: unknown) => ({ error }),
  )
  const { error } = await within(settled, 'A look-up that has to fail')
  const field = (name: string): unknown => (typeof error === 'object' && error ? Reflect.get(error, name) : undefined)
  const retryAfter = field('retryAfter')
  return {
    // Of whatever was thrown; compared with codes, no more.
    code: field('code') as IpGuardErrorCode | undefined,
    retryAfter: typeof retryAfter === 'number' ? retryAfter : undefined,
    error,
  }
}

/** An answer with another body, in the same manner. */
export function withBody(answer: StandInAnswer, change: (text: string) => string): StandInAnswer {
  return { ...answer, body: change(bodyText(answer.body)) }
}
