import { type Duration, IpGuardError, parseDuration } from '@ipguard/core'
import { type Exchange, openExchange } from './open-exchange.ts'
import { readBody } from './read-body.ts'

/** One request of `providerFetch`: its deadline, its cap, and what must never be told. */
export interface ProviderFetchOptions {
  /** Aborts at once, whatever has been reached. */
  readonly signal?: AbortSignal
  /** One deadline from the connection to the end of the body. @default '5s' */
  readonly timeout?: Duration
  /** How long a body may be, decompressed. @default 65536 */
  readonly maxBytes?: number
  /** @default 'GET' */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | URLSearchParams | FormData
  /** Keys and the like: they appear in no error, neither as they are nor URL-encoded or in base64. */
  readonly secrets?: readonly string[]
  /** How many redirects are followed, to https only; another origin gets none of the headers. @default 0: a redirect is an error */
  readonly redirects?: number
  /** In place of the runtime's own. */
  readonly fetch?: typeof fetch
}

/** An answer with any status but that of a redirect. */
export interface ProviderAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when the text is no JSON. */
  json(): unknown
}

/** An answer whose body is read as it arrives, under the same deadline and cap. */
export interface ProviderStream {
  readonly status: number
  readonly headers: Headers
  /** Rejects as `providerFetch` does. */
  readonly body: AsyncIterable<Uint8Array>
}

const MAX_BYTES = 65_536

/**
 * Asks a source over HTTP within limits that hold on every runtime: one deadline for all of it, a cap on the body, no redirect, no cookie,
 * and no key in any error.
 *
 * A status is not judged: 404 may mean "not listed". Nothing of the visitor's request is sent unless it is put into the URL, headers or body here.
 *
 * @example
 * const answer = await providerFetch('https://reputation.example/v1/203.0.113.7', { timeout: '2s', headers: { 'x-key': key }, secrets: [key] })
 * if (answer.status === 200) console.log(answer.json())
 * @throws {IpGuardError} `IPGUARD_PROVIDER_FAILED` when nothing came (network, a redirect); `IPGUARD_PROVIDER_TIMEOUT` when it took too long or
 * was aborted; `IPGUARD_PROVIDER_ANSWER` when the body is too large or broke off; `IPGUARD_OPTION_INVALID` for a URL that cannot be asked.
 */
export async function providerFetch(url: string | URL, options: ProviderFetchOptions = {}): Promise<ProviderAnswer> {
  const exchange = await open(url, options)
  const { response, host } = exchange
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of bodyOf(exchange, options)) text += decoder.decode(chunk, { stream: true })
  text += decoder.decode()
  return { status: response.status, headers: response.headers, text, json: () => parseJson(text, host) }
}

/**
 * As `providerFetch`, with the body as it arrives: for lists that are long. The deadline goes on while the caller reads.
 *
 * @throws {IpGuardError} as `providerFetch`; the body rejects in the same way.
 */
export async function providerStream(
  url: string | URL,
  options: ProviderFetchOptions & { readonly maxBytes: number },
): Promise<ProviderStream> {
  const exchange = await open(url, options)
  const { status, headers } = exchange.response
  return { status, headers, body: bodyOf(exchange, options) }
}

async function open(url: string | URL, options: ProviderFetchOptions): Promise<Exchange> {
  return openExchange(url, options, parseDuration(options.timeout ?? '5s', 'timeout'))
}

function bodyOf(
  { response, deadline, fail }: Exchange,
  { maxBytes = MAX_BYTES }: ProviderFetchOptions,
): AsyncIterable<Uint8Array> {
  return readBody(response, deadline, {
    maxBytes,
    tooLarge: () => fail('IPGUARD_PROVIDER_ANSWER', `answered with more than ${maxBytes} bytes`),
    broken: (cause) => fail('IPGUARD_PROVIDER_ANSWER', 'broke off its answer', cause),
  })
}

function parseJson(text: string, host: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What JSON.parse throws quotes the text.
    const looks = text.trimStart().startsWith('<') ? 'HTML' : `${text.length} characters that are not JSON`
    throw new IpGuardError('IPGUARD_PROVIDER_ANSWER', `${host} answered with ${looks}.`)
  }
}
