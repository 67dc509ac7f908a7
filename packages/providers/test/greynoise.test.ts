import type { Verdict } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { greynoise } from '../src/greynoise.ts'
import { answering, ask, signal } from './ask.ts'
import { GREYNOISE } from './http-sources.ts'

const read = async (body: unknown, status = 200): Promise<unknown> => ask(greynoise, { status, body })

describe('greynoise', () => {
  it.each<[change: object, verdict: Verdict | undefined]>([
    [{}, { score: 85, categories: ['scanner'], detail: 'malicious' }],
    [{ name: 'Example Botnet' }, { score: 85, categories: ['scanner'], detail: 'malicious, Example Botnet' }],
    [{ classification: 'suspicious' }, { score: 50, categories: ['scanner'], detail: 'suspicious' }],
    [{ classification: 'unknown' }, { score: 20, categories: ['scanner'], detail: 'unknown' }],
    [{ classification: 'a new word' }, { score: 20, categories: ['scanner'], detail: 'unknown' }],
    [{ classification: 'toString' }, { score: 20, categories: ['scanner'], detail: 'unknown' }],
    [{ classification: null }, { score: 20, categories: ['scanner'], detail: 'unknown' }],
    [
      { classification: 'benign', name: 'Censys' },
      { score: 0, detail: 'Censys' },
    ],
    [{ classification: 'benign' }, undefined],
    [
      { riot: true, noise: false, classification: 'benign', name: 'Google DNS' },
      { score: 0, detail: 'Google DNS' },
    ],
    [{ riot: true }, undefined],
    [{ noise: false }, { score: 85, detail: 'malicious' }],
    [{ noise: false, classification: 'unknown' }, undefined],
    [
      { noise: 'true', riot: '' },
      { score: 85, categories: ['scanner'], detail: 'malicious' },
    ],
  ])('reads %j', async (change, verdict) => {
    expect(await read({ ...GREYNOISE, ...change })).toEqual(verdict)
  })

  it.each([
    [404, { ip: '9.9.9.9', noise: false, riot: false, message: 'IP not observed.' }, undefined],
    [404, '<html>', undefined],
    [200, {}, 'IPGUARD_PROVIDER_ANSWER'],
    [200, { noise: 'N/A', classification: 'malicious' }, 'IPGUARD_PROVIDER_ANSWER'],
    [400, { message: 'Request is not a valid routable IPv4 address' }, 'IPGUARD_PROVIDER_FAILED'],
    [401, { message: 'unauthorized' }, 'IPGUARD_PROVIDER_REFUSED'],
    [429, { plan: 'unauthenticated', 'rate-limit': '100-lookups/day', message: 'x' }, 'IPGUARD_PROVIDER_QUOTA'],
    [500, { message: 'x' }, 'IPGUARD_PROVIDER_FAILED'],
  ])('takes status %d with %j for %s', async (status, body, code) => {
    expect(await read(body, status)).toBe(code)
  })

  it('takes scores of its own', async () => {
    const scores = { malicious: 60, unknown: 0 }
    expect(await ask((options) => greynoise({ ...options, scores }), { body: GREYNOISE })).toMatchObject({ score: 60 })
    expect(greynoise({ scores }).version).toMatch(/^;[0-9a-f]{16}$/)
    expect(() => greynoise({ scores: { malicious: -1 } })).toThrow('greynoise.scores.malicious')
    expect(() => greynoise({ scores: { benign: 1 } as never })).toThrow('benign') // benign is always 0
  })

  it('is not asked about IPv6', () => {
    expect([greynoise().supports?.('2620:7:6001::166'), greynoise().supports?.('9.9.9.9')]).toEqual([false, true])
  })

  it('sends the key, if there is one, in a header', async () => {
    const { fetch, asked } = answering({ body: GREYNOISE })
    await greynoise({ fetch }).lookup('9.9.9.9', { signal })
    await greynoise({ fetch, key: 'secret' }).lookup('9.9.9.9', { signal })
    expect(asked.map(({ url, headers }) => [url, headers.get('key')])).toEqual([
      ['https://api.greynoise.io/v3/community/9.9.9.9', null],
      ['https://api.greynoise.io/v3/community/9.9.9.9', 'secret'],
    ])
  })
})
