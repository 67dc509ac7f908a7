import { type Duration, IpGuardError, type LookupContext } from '@ipguard/core'
import { type ProviderAnswer, type ProviderFetchOptions, providerFetch } from './provider-fetch.ts'
import { createRedactor } from './redact.ts'
import { retryAfterOf } from './retry-after.ts'

/** One request to a source. */
export interface HttpRequest {
  readonly url: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: NonNullable<ProviderFetchOptions['body']>
  /** In place of the provider's own. */
  readonly timeout?: Duration
}

/** What statuses mean: an answer to read, "not listed", or one of the errors. */
export type Statuses = Readonly<Record<number, 'unlisted' | 'quota' | 'refused' | 'failed' | 'read'>>

/** Asks, judges the status and reads; undefined for a status that means "not listed", and for what `read` says so of. */
export type Send = <T>(
  request: HttpRequest,
  context: LookupContext,
  read: (answer: ProviderAnswer) => T | undefined,
  statuses?: Statuses,
) => Promise<T | undefined>

const STATUSES: Statuses = { 200: 'read', 401: 'refused', 403: 'refused', 429: 'quota' }

interface Settings {
  readonly name: string
  readonly timeout: Duration
  readonly fetch?: typeof fetch
}

interface Manner {
  readonly secrets?: readonly string[]
  readonly statuses?: Statuses
  retryAfter?(answer: ProviderAnswer): number | undefined
}

export function createSend({ name, timeout, fetch }: Settings, manner: Manner): Send {
  const secrets = manner.secrets ?? []
  const redact = createRedactor(secrets)
  return async ({ url, ...request }, { signal }, read, statuses) => {
    const answer = await providerFetch(url, { timeout, ...request, signal, secrets, ...(fetch && { fetch }) })
    const meaning = { ...STATUSES, ...manner.statuses, ...statuses }[answer.status] ?? 'failed'
    if (meaning === 'unlisted') return undefined
    try {
      if (meaning === 'read') return read(answer)
      throw new IpGuardError(CODES[meaning], `${name} answered with status ${answer.status}: ${WORDS[meaning]}.`, {
        // A gateway that gave up says nothing of what came before: a report may have been taken. 503 is said instead of taking it.
        uncertain: answer.status >= 500 && answer.status !== 503,
      })
    } catch (error) {
      throw clean(error, name, redact, manner.retryAfter?.(answer) ?? retryAfterOf(answer.headers))
    }
  }
}

const CODES = {
  quota: 'IPGUARD_PROVIDER_QUOTA',
  refused: 'IPGUARD_PROVIDER_REFUSED',
  failed: 'IPGUARD_PROVIDER_FAILED',
} as const

const WORDS = {
  quota: 'its quota is used up',
  refused: 'it does not accept the key, or this address as a caller',
  failed: 'it could not tell',
} as const

/** The same error, with nothing secret in it and no cause: what read an answer may have quoted it. */
function clean(error: unknown, name: string, redact: (text: string) => string, wait: number | undefined): IpGuardError {
  if (!(error instanceof IpGuardError)) {
    return new IpGuardError('IPGUARD_PROVIDER_ANSWER', `${name} answered with something that could not be read.`)
  }
  const retryAfter = error.retryAfter ?? (error.code === 'IPGUARD_PROVIDER_ANSWER' ? undefined : wait)
  const { uncertain = false } = error
  return new IpGuardError(error.code, redact(error.message), {
    ...(retryAfter !== undefined && { retryAfter }),
    uncertain,
  })
}
