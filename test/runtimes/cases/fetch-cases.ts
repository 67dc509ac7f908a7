import type { SuiteExpect, SuiteTest } from '@ipguard/conformance'
import { createGuard, deny, guardFetch, memoryStore, rateLimit } from '@ipguard/fetch'

const CLIENT = { peer: '198.51.100.7' }
const limited = (): ReturnType<typeof createGuard> =>
  createGuard({ policies: [rateLimit({ limit: 9, window: '60s' })], store: memoryStore() })
const POLICY = '"9-in-60s";q=9;w=60'

/** Responses as the runtime makes them: the RateLimit headers get on each, and the body stays. */
const RESPONSES: readonly (readonly [what: string, make: () => Response, body: string])[] = [
  ['of text', () => new Response('hello'), 'hello'],
  ['of JSON', () => Response.json({ a: 1 }), '{"a":1}'],
  ['without a body', () => new Response(null, { status: 204 }), ''],
  ['that cannot be changed', () => Response.redirect('http://localhost/', 302), ''],
  ['that is a stream', () => new Response(new Response('hello').body), 'hello'],
  ['that is a copy', () => new Response('hello').clone(), 'hello'],
]

export function fetchCases(test: SuiteTest, expect: SuiteExpect): void {
  for (const [what, make, body] of RESPONSES) {
    test(`fetch: RateLimit headers get on a response ${what}`, async () => {
      const { refusal, finish } = await guardFetch(limited(), new Request('http://localhost/'), CLIENT)
      const plain = make()
      const status = plain.status
      const response = finish(plain)
      expect([refusal, response.status, response.headers.get('RateLimit-Policy')]).toEqual([undefined, status, POLICY])
      expect(await response.text()).toBe(body)
    })
  }

  test('fetch: a refusal is a response as reply() says', async () => {
    const guard = createGuard({ policies: [deny(['198.51.100.0/24'])], createId: () => 'id' })
    for (const accept of ['application/json', 'text/html']) {
      const request = new Request('http://localhost/', { headers: { Accept: accept } })
      const decision = await guard.check(request, CLIENT)
      const reply = guard.reply(decision, request)
      const { refusal } = await guardFetch(guard, request, CLIENT)
      const headers = Object.keys(reply?.headers ?? {}).map((name) => [name, refusal?.headers.get(name)])
      expect({ status: refusal?.status, headers: Object.fromEntries(headers), body: await refusal?.text() }).toEqual(
        reply,
      )
    }
  })

  test('fetch: no body is read', async () => {
    const request = new Request('http://localhost/', { method: 'POST', body: 'a body' })
    const { refusal } = await guardFetch(limited(), request, CLIENT)
    expect([refusal, request.bodyUsed, await request.text()]).toEqual([undefined, false, 'a body'])
  })
}
