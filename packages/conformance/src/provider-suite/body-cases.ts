import { lookup, type ProviderKit, withBody, within } from './provider-kit.ts'
import type { ProviderCase } from './provider-suite.ts'
import { bodyText, type StandInAnswer, writeAnswer } from './stand-in.ts'

/** What may be JSON, and is no answer of any source; `http.meaningful` names exceptions. */
const WRONG = ['[]', '[[]]', '{}', 'null', '1', '-1', 'true', '"text"', '']

/** Whether a look-up says that an answer cannot be read. */
async function isRefused(kit: ProviderKit, answer: StandInAnswer): Promise<boolean> {
  const provider = await kit.create()
  kit.standIn.behave((_, response) => writeAnswer(response, answer))
  return (await kit.failure(lookup(provider, kit.addresses.listed))).code === 'IPGUARD_PROVIDER_ANSWER'
}

/** The first and only object of a JSON text gets these names, each with a hostile value. */
function poisoned(text: string, value: string): string {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
  const fields = names.map((name) => `"${name}":${value}`).join(',')
  return text.replaceAll(/\{(?=\s*("|\}))/g, (open, next: string) => `${open}${fields}${next === '}' ? '' : ','}`)
}

export const bodyCases: readonly ProviderCase[] = [
  {
    name: 'body: what cannot be read is IPGUARD_PROVIDER_ANSWER, and never "not listed"',
    needs: 'garbled',
    async run({ expect, addresses, create, failure }) {
      for (const ip of [addresses.listed, addresses.unlisted]) {
        expect((await failure(lookup(await create({ state: 'garbled' }), ip))).code).toBe('IPGUARD_PROVIDER_ANSWER')
      }
    },
  },
  {
    name: 'body: HTML with status 200 is no answer',
    needs: 'http',
    async run(kit) {
      const headers = { 'content-type': 'text/html' }
      const body = '<!doctype html><title>Welcome</title><p>0 1 false</p>'
      kit.expect(await isRefused(kit, { headers, body })).toBe(true)
      kit.expect(await isRefused(kit, { body })).toBe(true)
    },
  },
  {
    name: 'body: the type in its header decides nothing',
    needs: 'http',
    async run({ expect, addresses, create, standIn, http }) {
      const provider = await create()
      const answer = http.listed(addresses.listed)
      const expected = await lookup(provider, addresses.listed)
      standIn.behave((_, response) =>
        writeAnswer(response, { ...answer, headers: { ...answer.headers, 'content-type': 'text/html' } }),
      )
      expect(await lookup(provider, addresses.listed)).toEqual(expected)
    },
  },
  {
    name: 'body: of another type than the source answers with is no answer',
    needs: 'http',
    async run(kit) {
      const meaningful = new Set(kit.http.meaningful)
      const taken = []
      for (const body of WRONG.filter((each) => !meaningful.has(each))) {
        if (!(await isRefused(kit, { body }))) taken.push(body)
      }
      for (const answer of kit.http.wrong ?? []) if (!(await isRefused(kit, answer))) taken.push(bodyText(answer.body))
      kit.expect(taken).toEqual([])
    },
  },
  {
    name: 'body: one that ends in the middle is no answer',
    needs: 'http',
    async run(kit) {
      const { expect, addresses, create, failure, standIn, http } = kit
      const text = bodyText(http.listed(addresses.listed).body)
      const half = text.slice(0, Math.ceil(text.length / 2))
      const provider = await create()
      // By a connection that breaks, once behind a length and once in chunks; a source that ends early but cleanly is the last.
      standIn.behave((_, response) => {
        response.writeHead(200, { 'content-length': String(text.length + 1) })
        response.write(half, () => response.socket?.destroy())
      })
      const cut = await failure(lookup(provider, addresses.listed))
      standIn.behave((_, response) => void response.write(half, () => response.socket?.destroy()))
      const broken = await failure(lookup(provider, addresses.listed))
      expect([cut.code, broken.code]).toEqual(['IPGUARD_PROVIDER_ANSWER', 'IPGUARD_PROVIDER_ANSWER'])
      if (text.startsWith('{')) expect(await isRefused(kit, { body: half })).toBe(true)
    },
  },
  {
    name: 'body: one that does not end is no answer, and is not read on',
    needs: 'http',
    async run({ expect, addresses, create, failure, standIn, http }) {
      const provider = await create()
      standIn.behave((_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' })
        const more = (): void => {
          if (!response.destroyed) response.write(' '.repeat(65_536), () => setImmediate(more))
        }
        response.write(bodyText(http.listed(addresses.listed).body), more)
      })
      expect((await failure(lookup(provider, addresses.listed))).code).toBe('IPGUARD_PROVIDER_ANSWER')
      await within(standIn.left(1), 'Giving up the request')
    },
  },
  {
    name: 'body: __proto__ and other names of JavaScript in it change nothing',
    needs: 'http',
    async run({ expect, addresses: { listed, unlisted }, create, standIn, http }) {
      const provider = await create()
      const expected = await lookup(provider, listed)
      const bad = bodyText(http.listed(listed).body)
      const hostile = bad.startsWith('{') ? bad : '{"hostile":true}'
      standIn.behave((_, response) =>
        writeAnswer(
          response,
          withBody(http.listed(listed), (text) => poisoned(text, '{"hostile":true}')),
        ),
      )
      expect(await lookup(provider, listed)).toEqual(expected)
      standIn.behave((_, response) =>
        writeAnswer(
          response,
          withBody(http.unlisted(unlisted), (text) => poisoned(text, hostile)),
        ),
      )
      expect(await lookup(provider, unlisted)).toBe(undefined)
      expect(Reflect.get({}, 'hostile')).toBe(undefined)
    },
  },
]
