import { IpGuardError, type IpGuardErrorCode } from '../errors.ts'
import { isPromise } from '../store/awaitable.ts'
import type { Provider, Verdict } from './provider.ts'
import { own, readVerdict } from './read-verdict.ts'

export interface LookUpOptions {
  readonly timeout: number
  readonly after: (ms: number, call: () => void) => () => void
  /** Holds what ends the look-up before its time, while it is under way. */
  readonly running: Set<() => void>
}

/**
 * Asks a provider and reads its answer, by its deadline whatever it does: a source that honours no signal is left to itself.
 *
 * Rejects when it could not tell.
 */
export function lookUp(provider: Provider, ip: string, options: LookUpOptions): Promise<Verdict | undefined> {
  const { timeout, after, running } = options
  return new Promise((resolve, reject) => {
    const controller = new AbortController()
    function stop(why: string): void {
      end()
      // First: the rejection that the abort brings about says less.
      reject(new IpGuardError('IPGUARD_PROVIDER_TIMEOUT', why))
      controller.abort()
    }
    const close = (): void => stop('The guard was closed.')
    const cancel = after(timeout, () => stop(`There was no answer within ${timeout} ms.`))
    function end(): void {
      cancel()
      running.delete(close)
    }
    running.add(close)
    // In a promise of its own, so that a synchronous throw is a rejection too.
    new Promise<unknown>((answer) => answer(provider.lookup(ip, { signal: controller.signal })))
      .then((value) => (value === undefined ? undefined : readVerdict(value)))
      .finally(end)
      .then(resolve, reject)
  })
}

/** What a local provider says, now; undefined when it could not tell. */
export function lookUpNow(provider: Provider, ip: string): { readonly verdict?: Verdict } | undefined {
  try {
    never ??= new AbortController().signal
    const value: unknown = provider.lookup(ip, { signal: never })
    // It should not; what becomes of it is nobody's business.
    if (isPromise(value)) value.then(undefined, () => {})
    return value === undefined ? {} : { verdict: readVerdict(value) }
  } catch {
    return undefined
  }
}

/** A local look-up is over before anything could abort it. */
let never: AbortSignal | undefined

const CODES = ['FAILED', 'TIMEOUT', 'QUOTA', 'REFUSED', 'ANSWER'].map((word) => `IPGUARD_PROVIDER_${word}`)

/** Why it could not tell, as the source's own error says: by its fields, as it may be of another copy of core. */
export function readFailure(error: unknown): { readonly code: IpGuardErrorCode; readonly retryAfter: number } {
  const code = own(error, 'code')
  const retryAfter = own(error, 'retryAfter')
  return {
    code: (CODES.find((each) => each === code) ?? 'IPGUARD_PROVIDER_FAILED') as IpGuardErrorCode, // made of the union's words above
    retryAfter: typeof retryAfter === 'number' && retryAfter > 0 ? retryAfter : 0,
  }
}
