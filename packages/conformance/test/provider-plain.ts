import type { ProviderSetup } from '@ipguard/conformance'
import { IpGuardError, type IpGuardErrorCode, type Provider, type Verdict } from '@ipguard/core'

/** The steps of a right provider, each of which a defect may put another in place of. */
export interface Steps {
  /** What is sent. */
  request(ip: string, setup: ProviderSetup): { readonly url: string; readonly headers: Record<string, string> }
  send(url: string, init: RequestInit, own: AbortSignal): Promise<Response>
  /** The whole body. */
  body(response: Response): Promise<string>
  /** Throws unless the answer is to be read. */
  judge(response: Response, body: string): void
  parse(body: string): unknown
  verdict(json: unknown, ip: string): Verdict | undefined
  /** The error that is shown in place of another. */
  error(error: unknown, url: string, isLate: boolean): Error
}

export const fail = (code: IpGuardErrorCode, message = 'It could not tell.', retryAfter?: number): IpGuardError =>
  new IpGuardError(code, message, retryAfter === undefined ? {} : { retryAfter })

/** A source that says `{"listed":true,"score":90}`, asked with nothing but what the platform has. */
export const STEPS: Steps = {
  request: (ip, { baseUrl, key }) => ({
    url: `${baseUrl}/v1/${encodeURIComponent(ip)}`,
    headers: { 'x-key': encodeURIComponent(key) },
  }),
  send: async (url, init, signal) => fetch(url, { ...init, signal, redirect: 'manual' }),
  async body(response) {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength
      if (size > 65_536) throw fail('IPGUARD_PROVIDER_ANSWER')
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString()
  },
  judge({ status, headers }) {
    const seconds = headers.get('retry-after')
    const wait = seconds === null ? undefined : waitOf(seconds)
    if (status === 429) throw fail('IPGUARD_PROVIDER_QUOTA', undefined, wait)
    if (status === 401) throw fail('IPGUARD_PROVIDER_REFUSED')
    if (status !== 200) throw fail('IPGUARD_PROVIDER_FAILED')
  },
  parse: (body) => JSON.parse(body),
  verdict(json) {
    const own = (name: string): unknown => Object.getOwnPropertyDescriptor(Object(json), name)?.value
    if (own('error') === 'quota') throw fail('IPGUARD_PROVIDER_QUOTA')
    const [listed, score] = [own('listed'), own('score')]
    if (listed === false) return undefined
    if (listed !== true || typeof score !== 'number') throw fail('IPGUARD_PROVIDER_ANSWER')
    return { score, categories: ['abuse'] }
  },
  error: (error, _url, isLate) =>
    error instanceof IpGuardError ? error : fail(isLate ? 'IPGUARD_PROVIDER_TIMEOUT' : 'IPGUARD_PROVIDER_FAILED'),
}

function waitOf(value: string): number {
  return /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.now()
}

export function plainProvider(setup: ProviderSetup, change: Partial<Steps> = {}): Provider {
  const steps = { ...STEPS, ...change }
  return {
    name: 'plain',
    async lookup(ip, { signal }) {
      const late = AbortSignal.timeout(Number(setup.timeout))
      const { url, headers } = steps.request(ip, setup)
      try {
        signal.throwIfAborted()
        const response = await steps.send(url, { headers }, AbortSignal.any([late, signal]))
        if (response.status !== 200) {
          await response.body?.cancel()
          steps.judge(response, '')
        }
        // From here on whatever goes wrong is in the answer, but for the time that it takes.
        try {
          const body = await steps.body(response)
          steps.judge(response, body)
          return steps.verdict(steps.parse(body), ip)
        } catch (error) {
          if (error instanceof IpGuardError || late.aborted || signal.aborted) throw error
          throw steps.error(fail('IPGUARD_PROVIDER_ANSWER'), url, false)
        }
      } catch (error) {
        throw steps.error(error, url, late.aborted || signal.aborted)
      }
    },
  }
}
