import type { LookupContext, Provider, Verdict } from '@ipguard/core'

/** One request, as it left. */
export interface Sent {
  readonly method: string
  readonly url: string
  readonly key: string | null
  readonly body: string
}

/** A `fetch` that answers the same to everything, and what it was asked: for the mapping of one source, with no network. */
export function answering(
  body: unknown,
  init: { readonly status?: number; readonly headers?: Record<string, string>; readonly keyHeader?: string } = {},
): { readonly fetch: typeof fetch; readonly sent: readonly Sent[] } {
  const sent: Sent[] = []
  return {
    sent,
    fetch: async (input, request) => {
      const asked = new Request(input, request)
      const key = asked.headers.get(init.keyHeader ?? 'key')
      sent.push({ method: asked.method, url: asked.url, key, body: await asked.text() })
      const { status = 200, headers = {} } = init
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
    },
  }
}

export function context(): LookupContext {
  return { signal: new AbortController().signal }
}

export async function lookup(provider: Provider, ip = '9.9.9.9'): Promise<Verdict | undefined> {
  return provider.lookup(ip, context())
}
