import { CATEGORIES, IpGuardError, parseDuration, type Verdict } from '@ipguard/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { abuseipdb } from '../src/abuseipdb.ts'
import { getipintel } from '../src/getipintel.ts'
import type { HttpProviderOptions } from '../src/http-provider.ts'
import { ipasis } from '../src/ipasis.ts'
import { ipwhois } from '../src/ipwhois.ts'
import { answering, ask, signal } from './ask.ts'
import { httpSources, type TestSource } from './http-sources.ts'

type Source = Pick<TestSource, 'name' | 'create' | 'listed'>

const IP = '185.220.101.34'
const OTHERS: readonly Source[] = [
  {
    name: 'abuseipdb',
    create: (options, key) => abuseipdb({ ...options, key }),
    listed: () => ({
      body: {
        data: {
          abuseConfidenceScore: 100,
          isWhitelisted: false,
          usageType: 'Data Center/Web Hosting/Transit',
          isTor: true,
        },
      },
    }),
  },
  {
    name: 'getipintel',
    create: (options) => getipintel({ ...options, contact: 'ops@shop.example' }),
    listed: () => ({
      body: { status: 'success', result: '0.997', BadIP: 1, VPNType: 'iCloudRelayEgress', ResidentialProxy: '0.4' },
    }),
  },
  {
    name: 'ipasis',
    create: (options, key) => ipasis({ ...options, key }),
    listed: () => ({ body: { privacy: { VPN: true, Proxy: false, Tor: false, Hosting: true, Service: 'Some VPN' } } }),
  },
  {
    name: 'ipwhois',
    create: (options: HttpProviderOptions) => ipwhois(options),
    listed: () => ({ body: { listed: true, confidence: 92, threat_type: 'brute-force' } }),
  },
]

/** JSON has no infinity, and parsers read one from this. */
const INFINITE = '@infinite'
const CODES: ReadonlySet<string> = new Set(
  ['FAILED', 'TIMEOUT', 'QUOTA', 'REFUSED', 'ANSWER'].map((code) => `IPGUARD_PROVIDER_${code}`),
)

/** What is near to an answer: words for yes, no and nothing, numbers at and beyond edges, texts that nobody should show. */
const oddValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(true, false, 0, 1, 'yes', 'no', 'true', '', 'N/A', 'Premium required.', '-', null, [], {}),
  fc.constantFrom(-1, -0.0001, 100, 100.0001, 5.5, 1e300, -1e300, '1e400', '-5', '0x10', ' 7 ', INFINITE),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '\u0000\u001b[31m\r\nSet-Cookie: a=b',
    '\u202etxt',
    '\ud800',
    'x'.repeat(5_000),
  ),
  fc.constantFrom(
    'malicious',
    'benign',
    'safe',
    'success',
    'fail',
    'denied',
    'VPN',
    'TOR',
    'Compromised Server',
    'Data Center',
  ),
)

/** The answer with fields of it, on any level, replaced or taken out. */
function changed(body: unknown, changes: readonly { readonly at: number; readonly value: unknown }[]): unknown {
  const copy: unknown = structuredClone(body)
  for (const { at, value } of changes) {
    const places = placesOf(copy)
    const place = places[at % Math.max(1, places.length)]
    if (!place) continue
    if (value === undefined) Reflect.deleteProperty(place.owner, place.key)
    else Reflect.set(place.owner, place.key, structuredClone(value))
  }
  return copy
}

function placesOf(value: unknown): readonly { readonly owner: object; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [{ owner: value, key }, ...placesOf(inner)])
}

function problemsOf(verdict: Verdict | undefined): readonly string[] {
  if (verdict === undefined) return []
  const { score, confidence = 1, categories = [], detail = '', ttl = 1 } = verdict
  const known: readonly string[] = CATEGORIES
  return [
    Number.isFinite(score) && score >= 0 && score <= 100 ? '' : `score ${score}`,
    Number.isFinite(confidence) && confidence >= 0 && confidence <= 1 ? '' : `confidence ${confidence}`,
    categories.every((each) => known.includes(each)) ? '' : `categories ${categories.join()}`,
    new Set(categories).size === categories.length ? '' : `twice in ${categories.join()}`,
    typeof detail === 'string' && detail.length <= 200 && !/\p{C}/u.test(detail)
      ? ''
      : `detail ${JSON.stringify(detail)}`,
    parseDuration(ttl, 'ttl') > 0 ? '' : `ttl ${ttl}`,
  ].filter((problem) => problem !== '')
}

describe.each([...httpSources, ...OTHERS])('$name, whatever it is answered', ({ create, listed }) => {
  const good = listed(IP).body
  const body = fc.oneof(
    { weight: 1, arbitrary: oddValue },
    {
      weight: 6,
      arbitrary: fc
        .array(
          fc.record({
            at: fc.nat(10_000),
            value: fc.option(fc.oneof(oddValue, fc.constant(good)), { nil: undefined }),
          }),
          {
            minLength: 1,
            maxLength: 6,
          },
        )
        .map((changes) => changed(good, changes)),
    },
  )
  const status = fc.oneof(
    { weight: 6, arbitrary: fc.constant(200) },
    fc.constantFrom(400, 401, 403, 404, 422, 429, 500),
  )
  const number = fc.oneof(fc.integer().map(String), fc.constantFrom('', 'soon', '1e9', '-1', 'NaN', '0'))
  const headers = fc.record({
    'x-rl': number,
    'x-ttl': number,
    'retry-after': number,
    'cache-control': number.map((n) => `max-age=${n}`),
  })

  it('gives a verdict within its bounds, none, or an error with a code of providers', async () => {
    await fc.assert(
      fc.asyncProperty(body, status, fc.option(headers), async (value, code, extra) => {
        const text = JSON.stringify(value).replaceAll(`"${INFINITE}"`, '1e999')
        const { fetch } = answering({ status: code, headers: extra ?? {}, body: text })
        const provider = create({ fetch }, 'canary')
        try {
          expect(problemsOf(await provider.lookup(IP, { signal }))).toEqual([])
        } catch (error) {
          if (!(error instanceof IpGuardError) || !CODES.has(error.code)) throw error
          expect(error.retryAfter === undefined || error.retryAfter >= 0).toBe(true)
          expect(error.message).not.toMatch(/canary|\p{C}/u)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('shows no control or direction characters, and nothing long, whichever of its texts has them', async () => {
    const hostile = `\u0000\u001b[31m\r\n\u202etxt ${'x'.repeat(500)}`
    const texts = placesOf(good).filter(({ owner, key }) => typeof Reflect.get(owner, key) === 'string')
    const found = []
    for (const at of texts.keys()) {
      const body = structuredClone(good)
      const place = placesOf(body).filter(({ owner, key }) => typeof Reflect.get(owner, key) === 'string')[at]
      if (place) Reflect.set(place.owner, place.key, hostile)
      const verdict = await ask((options) => create(options, 'canary'), { body }, IP)
      found.push(...(typeof verdict === 'string' ? [] : problemsOf(verdict)))
    }
    expect(found).toEqual([])
  })

  it('is clean on no evidence: without any of its fields it is no answer', async () => {
    const { fetch } = answering({ body: Array.isArray(good) ? [] : {} })
    await expect(create({ fetch }, 'canary').lookup(IP, { signal })).rejects.toMatchObject({
      code: 'IPGUARD_PROVIDER_ANSWER',
    })
  })
})
