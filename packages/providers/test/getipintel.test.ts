import { providerSuite } from '@ipguard/conformance'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { type GetipintelOptions, getipintel } from '../src/getipintel.ts'
import { answering, lookup } from './answering.ts'

const contact = 'ops@shop.example'
const asking = (body: unknown, options: Partial<GetipintelOptions> = {}, status = 200) =>
  lookup(getipintel({ contact, fetch: answering(body, { status }).fetch, ...options }))
const success = (result: string, more: object = {}): object => ({ status: 'success', result, ...more })
const failure = (result: string): object => ({ status: 'error', result, message: 'sorry' })

/** The forms in which the vendor answers: JSON, and a bare number when it overlooks the format. */
const FORMS = [
  { name: 'JSON', write: (result: string) => success(result, { queryIP: 'x', queryFlags: null }) },
  { name: 'a bare number', write: (result: string) => `${result}\n` },
]

describe.each(FORMS)('getipintel as $name', ({ write }) => {
  providerSuite({
    test,
    expect,
    key: 'canary+suite@shop.example',
    create: ({ baseUrl, timeout, key }) => getipintel({ baseUrl, timeout, contact: key }),
    http: {
      listed: () => ({ body: write('1') }),
      unlisted: () => ({ body: write('0') }),
      refused: { status: 400, body: write('-5') },
      wrong: ['abc', '', '2', '-7', 'NaN', '0x1'].map((result) => ({ body: success(result) })),
      // A probability, and a code.
      meaningful: ['1', '-1'],
    },
  })
})

describe('what getipintel answers', () => {
  it.each([
    ['0', undefined],
    ['0.5', undefined],
    ['0.95', { score: 50, categories: [] }],
    ['0.9949', { score: expect.closeTo(74.94, 1), categories: [] }],
    ['0.995', { score: 100, categories: ['proxy'] }],
    ['1', { score: 100, categories: ['proxy'] }],
  ])('with %s is %j', async (result, verdict) => {
    expect(await asking(success(result))).toEqual(verdict)
    expect(await asking(result)).toEqual(verdict)
  })

  it.each([
    [0, '0.9999', 75],
    [0, '1', 100],
    [2, '0.99', 100],
    [2, '0.9899', 75],
    [3, '0.95', 100],
    [3, '0.9499', 25],
    [4, '0.9', 100],
    [4, '0.8999', 22],
    [0.97, '0.97', 100],
    [0.97, '0.9699', 75],
  ])('is certain by step or probability: %s, %s', async (certainty, result, score) => {
    expect(Math.round((await asking(success(result), { certainty }))?.score ?? Number.NaN)).toBe(score)
  })

  it('never scores less when the probability rises, and a coin flip never counts', async () => {
    const probability = fc.double({ min: 0, max: 1, noNaN: true })
    await fc.assert(
      fc.asyncProperty(probability, probability, fc.constantFrom(0, 1, 2, 3, 4, 0.93), async (a, b, certainty) => {
        const [low = 0, high = 0] = [a, b].toSorted((x, y) => x - y)
        const score = async (p: number): Promise<number> =>
          (await asking(success(p.toFixed(6)), { certainty }))?.score ?? 0
        const [less, more] = [await score(low), await score(high)]
        expect(less <= more && more <= 100).toBe(true)
        if (high < 0.9) expect(more).toBeLessThanOrEqual(25)
        if (high <= 0.5) expect(more).toBe(0)
      }),
      { numRuns: 100 },
    )
  })

  it.each([
    [{ BadIP: 1 }, ['abuse']],
    [{ BadIP: 0 }, undefined],
    [{ iCloudRelayEgress: 1 }, ['relay']],
    [{ VPNType: 'iCloudRelayEgress' }, ['relay']],
    [{ VPNType: 'GoogleFiVPN' }, ['vpn']],
    [{ GoogleOneVPN: 1, VPNType: 'GoogleOneVPN' }, ['vpn']],
    [{ VPNType: 'none' }, undefined],
    [{ ResidentialProxy: '0.999' }, ['residential-proxy']],
    [{ ResidentialProxy: '0.6', Country: 'US', ASN: '64500;64501' }, undefined],
  ])('with oflags %j has the categories %j', async (more, categories) => {
    expect((await asking(success('0', more)))?.categories).toEqual(categories)
  })

  it.each([
    ['-1', 'IPGUARD_PROVIDER_FAILED'],
    ['-2', 'IPGUARD_PROVIDER_FAILED'],
    ['-3', 'IPGUARD_PROVIDER_FAILED'],
    ['-4', 'IPGUARD_PROVIDER_FAILED'],
    ['-5', 'IPGUARD_PROVIDER_REFUSED'],
    ['-6', 'IPGUARD_PROVIDER_REFUSED'],
    ['-7', 'IPGUARD_PROVIDER_ANSWER'],
  ])('with the code %s is %s, with status 200 and 400, as JSON and bare', async (code, expected) => {
    for (const status of [200, 400]) {
      await expect(asking(failure(code), {}, status)).rejects.toMatchObject({ code: expected })
      await expect(asking(code, {}, status)).rejects.toMatchObject({ code: expected })
    }
  })
})

it('getipintel is sent the address, the contact and the flags', async () => {
  const { fetch, sent } = answering('0')
  await lookup(getipintel({ contact, fetch, flags: 'nb', oflags: 'bi' }), '2001:db8::7')
  expect(sent[0]?.url).toBe(
    'https://check.getipintel.net/check.php?ip=2001%3Adb8%3A%3A7&contact=ops%40shop.example&format=json&flags=nb&oflags=bi',
  )
})

describe('options of getipintel', () => {
  it('are the limits of the free service', () => {
    const { quota, ttl, timeout } = getipintel({ contact })
    expect({ quota, ttl, timeout }).toEqual({
      quota: { perMinute: 15, perDay: 500 },
      ttl: { verdict: '6h', unlisted: '6h' },
      timeout: '5s',
    })
  })

  it('change the version that answers are kept under', () => {
    const versions = [{}, { flags: 'm' as const }, { oflags: 'b' }, { certainty: 2 }].map(
      (options) => getipintel({ contact, ...options }).version,
    )
    expect(new Set(versions).size).toBe(4)
  })

  it.each([
    [{}, 'getipintel.contact'],
    [{ contact: 'me' }, 'getipintel.contact'],
    [{ contact: 'a@b' }, 'getipintel.contact'],
    [{ contact: 'a b@c.de' }, 'getipintel.contact'],
    [{ contact, flags: 'mb' }, 'getipintel.flags'],
    [{ contact, oflags: 'bb' }, 'getipintel.oflags'],
    [{ contact, oflags: 'x' }, 'getipintel.oflags'],
    [{ contact, certainty: 5 }, 'getipintel.certainty'],
    [{ contact, certainty: 0.5 }, 'getipintel.certainty'],
    [{ contact, certainty: '1' }, 'getipintel.certainty'],
    [{ contact, ttl: { verdict: '7h' } }, 'getipintel.ttl.verdict'],
    [{ contact, ttl: { unlisted: '1d' } }, 'getipintel.ttl.unlisted'],
    [{ contakt: 'x' }, 'getipintel has no option "contakt"'],
    [undefined, 'getipintel is undefined'],
  ])('refuse %j', (options, start) => {
    expect(() => getipintel(options as never)).toThrow(start)
  })
})
