import { IpGuardError, type IpGuardErrorCode } from '@ipguard/core'
import { dispatcher } from '#dispatcher'
import { type Deadline, startDeadline } from './deadline.ts'
import type { ProviderFetchOptions } from './provider-fetch.ts'
import { checkUrl, redirectTarget } from './provider-url.ts'
import { createRedactor } from './redact.ts'

/** A request whose head has been answered; its body is still to be read, under the same deadline. */
export interface Exchange {
  readonly response: Response
  readonly deadline: Deadline
  /** Who was asked, for messages: a host, nothing of the path. */
  readonly host: string
  /** An error that says nothing secret: of a cause only its code is taken. */
  readonly fail: (code: IpGuardErrorCode, what: string, cause?: unknown) => IpGuardError
}

const DEFAULT_HEADERS = { accept: 'application/json', 'user-agent': 'ipguard/0 (+https://github.com/ipguard/ipguard)' }

/** What goes along to another origin. */
const HARMLESS: ReadonlySet<string> = new Set(['accept', 'user-agent', 'if-none-match', 'if-modified-since'])

/** Sends a request and follows as many redirects as it may. */
export async function openExchange(
  address: string | URL,
  options: ProviderFetchOptions,
  timeout: number,
): Promise<Exchange> {
  let url = checkUrl(address)
  const redact = createRedactor(options.secrets ?? [])
  const host = redact(url.host)
  const fail: Exchange['fail'] = (code, what, cause) =>
    new IpGuardError(code, redact(`${host} ${what}${codeOf(cause)}.`), {
      uncertain: cause !== undefined && !UNSENT.has(codeOf(cause)),
    })
  const deadline = startDeadline(
    timeout,
    options.signal,
    () => fail('IPGUARD_PROVIDER_TIMEOUT', `did not answer in full within ${timeout} ms`),
    () => fail('IPGUARD_PROVIDER_TIMEOUT', 'was not waited for any longer'),
  )
  const method = options.method ?? 'GET'
  try {
    const headers = headersOf(options.headers)
    for (let left = options.redirects ?? 0; ; left--) {
      const response = await send(url, { ...options, method, headers, deadline, fail })
      if (!isRedirect(response)) return { response, deadline, host, fail }
      response.body?.cancel().catch(() => undefined)
      const target = left > 0 && method === 'GET' ? redirectTarget(url, response.headers.get('location')) : undefined
      if (!target) {
        throw fail('IPGUARD_PROVIDER_FAILED', `answered ${response.status}, a redirect, which is not followed`)
      }
      if (target.origin !== url.origin) dropPrivate(headers)
      url = target
    }
  } catch (error) {
    deadline.clear()
    throw error
  }
}

interface Sending extends Omit<ProviderFetchOptions, 'headers' | 'method'> {
  readonly method: string
  readonly headers: Headers
  readonly deadline: Deadline
  readonly fail: Exchange['fail']
}

async function send(url: URL, { fetch: own, method, body, headers, deadline, fail }: Sending): Promise<Response> {
  try {
    const agent = own ? undefined : await deadline.race(dispatcher())
    // Aborted before anything was sent: nothing is.
    await deadline.race(Promise.resolve())
    const { signal } = deadline
    // `dispatcher` is a word of Node's alone.
    const request = {
      method,
      headers,
      body: body ?? null,
      redirect: 'manual',
      signal,
      ...(agent && { dispatcher: agent }),
    } as const
    const pending = (own ?? fetch)(url.href, request)
    return await deadline.race(pending).catch((error: unknown) => {
      // A `fetch` that does not heed the signal: what it brings later is let go.
      pending.then(({ body: late }) => late?.cancel()).catch(() => undefined)
      throw error
    })
  } catch (error) {
    throw deadline.passed ? error : fail('IPGUARD_PROVIDER_FAILED', 'could not be asked', error)
  }
}

/** No connection came about: nothing can have arrived. In the words of Node and Deno, and of Bun. */
const UNSENT: ReadonlySet<string> = new Set(
  [
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'UND_ERR_CONNECT_TIMEOUT',
    'ConnectionRefused',
    'FailedToOpenSocket',
  ].map((code) => ` (${code})`),
)

/** What the runtime throws of a header that cannot be sent quotes its value, which may be a key: nothing of it is kept. */
function headersOf(given: ProviderFetchOptions['headers']): Headers {
  try {
    const headers = new Headers(given)
    for (const [name, value] of Object.entries(DEFAULT_HEADERS)) if (!headers.has(name)) headers.set(name, value)
    return headers
  } catch {
    throw new IpGuardError(
      'IPGUARD_OPTION_INVALID',
      'A name or value of `headers` cannot be sent: it has a line break, another control character or one outside of Latin-1. Write it without.',
    )
  }
}

/** 304 is the answer to a conditional request. Browsers hide a redirect behind status 0. */
function isRedirect({ status, type }: Response): boolean {
  return type === 'opaqueredirect' || (status >= 300 && status < 400 && status !== 304)
}

function dropPrivate(headers: Headers): void {
  for (const name of Array.from(headers.keys())) if (!HARMLESS.has(name)) headers.delete(name)
}

/** The code of the innermost error, such as ECONNREFUSED; never its message, in which some runtimes put the URL. */
function codeOf(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > 4) return ''
  const inner = codeOf(Reflect.get(error, 'cause'), depth + 1)
  const code: unknown = Reflect.get(error, 'code')
  return inner || (typeof code === 'string' && /^[A-Z][A-Za-z0-9_]{1,40}$/.test(code) ? ` (${code})` : '')
}
