import { inspect } from 'node:util'
import { type Failure, lookup, type ProviderKit, within } from './provider-kit.ts'
import type { ProviderCase } from './provider-suite.ts'
import { startStandIn, writeAnswer } from './stand-in.ts'

/** All that a logger may write of an error. */
function told({ error }: Failure, depth = 0): string {
  if (!(error instanceof Error) || depth > 5) return inspect(error, { depth: 9 })
  const { message, stack, cause } = error
  const own = [message, stack, String(error), JSON.stringify(error), inspect(error, { depth: 9, showHidden: true })]
  return [...own, told({ code: undefined, retryAfter: undefined, error: cause }, depth + 1)].join('\n')
}

/** The forms in which a key could be read out of a text. */
function formsOf(key: string): readonly string[] {
  const base64 = (text: string): readonly string[] => [
    Buffer.from(text).toString('base64'),
    Buffer.from(text).toString('base64url'),
  ]
  // Two letters before it and after it leave out what depends on its neighbours.
  const inside = [`${key}`, `x${key}`, `xx${key}`].flatMap(base64).map((text) => text.slice(4, -4))
  return [key, encodeURIComponent(key), encodeURI(key), ...base64(key), ...inside].filter((form) => form.length > 5)
}

/** Ways in which a source fails, each telling the key back in body and headers. */
function ways({ key, addresses, http }: ProviderKit): readonly { status: number; body: string }[] {
  const encoded = encodeURIComponent(key)
  const base64 = Buffer.from(key).toString('base64')
  const echo = JSON.stringify({ message: `Key ${key} ${encoded} ${base64} is wrong.`, error: key, result: key })
  const spoiled = JSON.stringify(http.listed(addresses.listed).body).slice(0, -1)
  return [
    ...[200, 400, 401, 402, 403, 404, 422, 429, 500].map((status) => ({ status, body: echo })),
    { status: 200, body: `<html>${key} ${encoded} ${base64}</html>` },
    { status: 200, body: `${spoiled}${key}` },
    { status: 302, body: key },
  ]
}

async function failures(kit: ProviderKit): Promise<readonly Failure[]> {
  const { addresses, create, failure, standIn, key } = kit
  const found: Failure[] = []
  const provider = await create()
  for (const { status, body } of ways(kit)) {
    const headers = { location: `http://127.0.0.1:1/?key=${encodeURIComponent(key)}`, 'x-key': encodeURIComponent(key) }
    standIn.behave((_, response) => writeAnswer(response, { status, headers, body }))
    found.push(await failure(lookup(provider, addresses.listed)))
  }
  found.push(await failure(lookup(provider, addresses.listed, AbortSignal.abort(`key=${key}`))))
  found.push(await failure(lookup(await create({ state: 'failing' }), addresses.listed)))
  found.push(await failure(lookup(await create({ state: 'silent', timeout: 100 }), addresses.listed)))
  const gone = await startStandIn(() => undefined)
  await within(gone.close(), 'Closing')
  found.push(await failure(lookup(await create({ baseUrl: gone.url }), addresses.listed)))
  return found
}

export const secretCases: readonly ProviderCase[] = [
  {
    name: 'secret: the key is in no error, neither as it is nor URL-encoded or in base64',
    needs: 'http',
    async run(kit) {
      const forms = formsOf(kit.key)
      const texts = (await failures(kit)).filter(({ error }) => error !== undefined).map((failure) => told(failure))
      // That a 404 or a body that echoes may mean "not listed" takes a few away, not most.
      kit.expect(texts.length > 8).toBe(true)
      kit.expect(texts.filter((text) => forms.some((form) => text.includes(form)))).toEqual([])
    },
  },
]
