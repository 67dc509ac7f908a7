import { IpGuardError, type Provider, type Verdict } from '@ipguard/core'

/** What a source answers in a test of one look-up; a body that is no text is sent as JSON. */
export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/** One request as the provider sent it. */
export interface Asked {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: string
}

/** A `fetch` that gives these answers in turn, the last one again and again, and keeps what it was asked. */
export function answering(...answers: readonly Answer[]): { readonly fetch: typeof fetch; readonly asked: Asked[] } {
  const asked: Asked[] = []
  return {
    asked,
    async fetch(input, init) {
      const url = input instanceof Request ? input.url : String(input)
      const { method = 'GET', headers, body } = init ?? {}
      // A body of these providers is none or a form.
      asked.push({
        url,
        method,
        headers: new Headers(headers),
        body: body instanceof URLSearchParams ? body.toString() : '',
      })
      const answer = answers[Math.min(asked.length, answers.length) - 1]
      if (!answer) throw new Error('There is no answer.')
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
      return new Response(text, { status: answer.status ?? 200, headers: { ...answer.headers } })
    },
  }
}

/** What a look-up came to: a verdict, undefined for "not listed", or the code of its error. */
export async function ask(
  create: (options: { readonly fetch: typeof fetch }) => Provider,
  answer: Answer,
  ip: string = '185.220.101.34',
): Promise<Verdict | string | undefined> {
  const provider = create({ fetch: answering(answer).fetch })
  try {
    return await provider.lookup(ip, { signal: new AbortController().signal })
  } catch (error) {
    if (error instanceof IpGuardError) return error.code
    throw error
  }
}

/** The error of a look-up that has to fail. */
export async function errorOf(lookup: unknown): Promise<IpGuardError> {
  try {
    await lookup
  } catch (error) {
    if (error instanceof IpGuardError) return error
    throw error
  }
  throw new Error('It did not fail.')
}

export const signal: AbortSignal = new AbortController().signal
