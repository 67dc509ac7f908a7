import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compileTypes, isGraver, readDecision, verdictOfDecision } from './crowdsec-decision.ts'

function recorded(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../test/data/crowdsec/${name}.json`, import.meta.url), 'utf8'))
}

const scores = compileTypes()

it.each([
  ['decision-ip', 'ban', [4, 0x01020304, 32], 14_395_867],
  ['decision-v4mapped', 'ban', [4, 0x01020304, 32], 14_395_820],
  ['decision-in-range', 'captcha', [4, 0x0a420000, 16], 5_395_855],
  ['decision-v6', 'ban', [6, 0x20010db8, 128], 7_195_844],
  ['decision-v6-range', 'ban', [6, 0x20010db8, 48], 7_195_832],
  ['decision-from-alert', 'ban', [4, 0xcb007109 | 0, 32], 12_934_804],
] as const)('reads the recorded answer %s', (name, type, [family, a, length], left) => {
  const [value] = recorded(name) as readonly unknown[]
  const decision = readDecision(value)
  expect(decision).toMatchObject({ type, prefix: { address: { family, a }, length } })
  expect(Math.floor(decision?.left ?? 0)).toBe(left)
})

it('reads of all recorded decisions those on addresses and ranges, and none on a country or a network', () => {
  const all = recorded('decisions-all') as readonly { readonly scope: string }[]
  const kept = all.filter((each) => readDecision(each))
  expect(all).toHaveLength(7)
  expect(kept.map(({ scope }) => scope)).toEqual(['Ip', 'Range', 'Ip', 'Range', 'Ip'])
})

const whole = { duration: '1h', origin: 'cscli', scenario: 'x', scope: 'Ip', type: 'ban', value: '1.2.3.4' }

it.each([
  ['another scope', { scope: 'Country', value: 'FR' }],
  ['a value that is no address', { value: 'bogus' }],
  ['all of IPv4', { scope: 'Range', value: '0.0.0.0/0' }],
  ['all of IPv6', { scope: 'Range', value: '::/0' }],
])('leaves out a decision with %s', (_name, change) => {
  expect(readDecision(whole)).toBeDefined()
  expect(readDecision({ ...whole, ...change })).toBeUndefined()
})

it.each([
  null,
  5,
  'ban',
  [whole],
  {},
  { __proto__: whole },
  { ...whole, scope: undefined },
  { ...whole, type: '' },
  { ...whole, value: 16_909_060 },
  { ...whole, duration: undefined },
  { ...whole, duration: '7d' },
])('refuses %j', (value) => {
  expect(() => readDecision(value)).toThrow(expect.objectContaining({ code: 'IPGUARD_PROVIDER_ANSWER' }))
})

it('compares scope and type without case, and cuts what is long', () => {
  const decision = readDecision({
    ...whole,
    scope: 'RANGE',
    type: 'Captcha',
    value: '10.1.2.3/8',
    scenario: 'y'.repeat(500),
  })
  expect(decision).toMatchObject({ type: 'captcha', prefix: { address: { a: 0x0a000000 }, length: 8 } })
  expect(decision?.scenario).toHaveLength(120)
})

it.each([
  ['a ban before a captcha that lasts longer', { type: 'ban', left: 1 }, { type: 'captcha', left: 9 }],
  ['an unknown type before a captcha', { type: 'throttle', left: 1 }, { type: 'captcha', left: 9 }],
  ['a ban before an unknown type that scores the same', { type: 'ban', left: 1 }, { type: 'throttle', left: 9 }],
  ['of two bans the one that lasts longer', { type: 'ban', left: 2 }, { type: 'ban', left: 1 }],
])('obeys %s', (_name, graver, other) => {
  expect(isGraver(graver, other, scores)).toBe(true)
  expect(isGraver(other, graver, scores)).toBe(false)
})

it('takes other scores by type, and "*" for types without one', () => {
  const mine = compileTypes({ Captcha: 30, throttle: 10, '*': 5 })
  expect(['ban', 'captcha', 'throttle', 'new', 'constructor', '__proto__'].map(mine)).toEqual([100, 30, 10, 5, 5, 5])
  expect(['throttle', 'constructor'].map(scores)).toEqual([100, 100])
  for (const score of [-1, 101, Number.NaN, '5' as never]) {
    expect(() => compileTypes({ ban: score })).toThrow('crowdsec.types.ban is')
  }
})

it.each([
  ['crowdsecurity/ssh-bf', ['brute-force']],
  ['crowdsecurity/http-probing', ['scanner']],
  ['crowdsecurity/iptables-scan-multi_ports', ['scanner']],
  ['crowdsecurity/CVE-2021-41773', ['abuse']],
  ['crowdsecurity/http-generic-bf', ['brute-force']],
  ['firehol_botnet_list', ['botnet']],
  ["manual 'ban' from 'me'", undefined],
])('says of the scenario %s what the address did', (scenario, categories) => {
  expect(verdictOfDecision({ type: 'ban', scenario, origin: 'crowdsec' }, scores)).toEqual({
    score: 100,
    detail: `ban: ${scenario} (crowdsec)`,
    ...(categories && { categories }),
  })
})

it('says nothing for a type that scores 0', () => {
  const decision = { type: 'throttle', scenario: 'x', origin: '' }
  expect(verdictOfDecision(decision, compileTypes({ throttle: 0 }))).toBeUndefined()
  expect(verdictOfDecision(decision, compileTypes({ throttle: 1 }))).toEqual({ score: 1, detail: 'throttle: x' })
})
