import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import {
  allow,
  deny,
  type Guard,
  ipSet,
  nginx,
  onlyAllow,
  type Provider,
  policy,
  rateLimit,
  reputation,
} from '../packages/core/src/index.ts'
import { request, testGuard } from '../packages/core/test/test-guard.ts'

const schema: unknown = JSON.parse(readFileSync(new URL('../docs/decision.schema.json', import.meta.url), 'utf8'))
const validate = new Ajv2020({ allErrors: true, strict: true }).compile(schema as object)

const LADDER = [{ name: 'gray', ban: '24h' }] as const

const SOURCE: Provider = {
  name: 'source',
  local: true,
  lookup: () => ({ score: 80, confidence: 0.9, categories: ['tor'], detail: 'list 7' }),
}

/** Guards, and how often each is asked, that between them bring about every kind of decision and evidence. */
const CASES: readonly [string, () => { readonly guard: Guard }, number, string?][] = [
  ['a plain allow', () => testGuard([]), 1],
  ['allowed by a list', () => testGuard([allow(['203.0.113.7'])]), 1],
  ['denied by a labelled list', () => testGuard([deny(ipSet([{ cidr: '203.0.113.0/24', label: 'feed' }]))]), 1],
  ['not on the only list', () => testGuard([onlyAllow(['10.0.0.0/8'])]), 1],
  ['no client', () => testGuard([], {}), 1, ''],
  ['limited, then banned', () => testGuard([rateLimit({ limit: 1, window: '60s', ladder: LADDER })]), 3],
  ['limited in shadow', () => testGuard([rateLimit({ limit: 1, window: '60s', ladder: LADDER, mode: 'shadow' })]), 3],
  ['challenged', () => testGuard([policy({ name: 'c', evaluate: () => ({ action: 'challenge' }) })]), 1],
  [
    'degraded',
    () =>
      testGuard([
        policy({
          name: 'c',
          onError: 'deny',
          evaluate: () => {
            throw new Error('x')
          },
        }),
      ]),
    1,
  ],
  [
    'refused by what sources say',
    () => testGuard([reputation({ providers: [SOURCE], categories: { tor: 40 } })]),
    1,
    '8.8.4.4',
  ],
  [
    'challenged as unknown',
    () => testGuard([reputation({ providers: [SOURCE], onUnknown: 'challenge' })]),
    1,
    '10.0.0.1',
  ],
  ['pending', () => testGuard([reputation({ providers: [{ ...SOURCE, name: 'far', local: false }] })]), 2, '8.8.4.4'],
  ['behind a proxy', () => testGuard([], { clientIp: nginx({ trust: ['203.0.113.7'] }) }), 1],
]

test.each(CASES)('%s fits docs/decision.schema.json', async (_name, make, times, peer = '203.0.113.7') => {
  const { guard } = make()
  for (let i = 0; i < times; i++) {
    const decision = await guard.check(request({ headers: new Headers({ 'x-forwarded-for': '198.51.100.1' }) }), {
      peer,
    })
    expect(validate(JSON.parse(JSON.stringify(decision))) ? [] : validate.errors).toEqual([])
  }
})

test.each([
  {},
  { action: 'block', at: 1 },
  { action: 'deny', at: 1, secret: 1 },
  { action: 'allow', at: 1, client: { ip: 5 } },
])('%j does not', (value) => {
  expect(validate(value)).toBe(false)
})
