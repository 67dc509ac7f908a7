import { formatAddress, parseAddress, parsePrefix } from '@ipguard/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compileTypes, type Decision, isGraver } from './crowdsec-decision.ts'
import { createDecisionTable } from './crowdsec-table.ts'

const scores = compileTypes({ throttle: 20 })

function decision(value: string, type = 'ban', left = 1_000): Decision {
  return { type, prefix: parsePrefix(value), left, scenario: 'x', origin: 'cscli' }
}

it('finds an address by every prefix that covers it, and nothing else', () => {
  const table = createDecisionTable(scores)
  for (const value of ['1.2.3.4', '10.66.0.0/16', '2001:db8:bad::/48', '2001:db8::7']) table.put(decision(value), 0)
  expect(table.size).toBe(4)
  const found = [
    '1.2.3.4',
    '1.2.3.5',
    '10.66.255.1',
    '10.67.0.1',
    '2001:db8:bad:1::5',
    '2001:db8:bae::',
    '2001:db8::7',
    'x',
  ]
  expect(found.map((ip) => table.match(ip, 0) !== undefined)).toEqual([
    true,
    false,
    true,
    false,
    true,
    false,
    true,
    false,
  ])
  expect(table.match('::ffff:1.2.3.4', 0)).toMatchObject({ type: 'ban', until: 1_000 })
})

it('keeps the types of one value apart: without the ban the captcha is left', async () => {
  const table = createDecisionTable(scores)
  table.put(decision('1.2.3.4', 'captcha', 9_000), 0)
  table.put(decision('1.2.3.4', 'ban'), 0)
  table.put(decision('1.2.3.4', 'throttle'), 0)
  await table.settle()
  expect(table.match('1.2.3.4', 0)).toMatchObject({ type: 'ban' })
  table.drop(decision('1.2.3.4', 'ban'))
  await table.settle()
  expect(table.match('1.2.3.4', 0)).toMatchObject({ type: 'captcha' })
  table.drop(decision('1.2.3.4', 'captcha'))
  await table.settle()
  expect(table.match('1.2.3.4', 0)).toMatchObject({ type: 'throttle' })
  table.drop(decision('1.2.3.4', 'throttle'))
  await table.settle()
  expect(table.match('1.2.3.4', 0)).toBeUndefined()
  expect(table.size).toBe(0)
})

it('lets a decision run out by itself', () => {
  const table = createDecisionTable(scores)
  table.put(decision('1.2.3.4', 'ban', 1_000), 5_000)
  table.put(decision('1.2.3.0/24', 'captcha', 2_000), 5_000)
  expect(table.match('1.2.3.4', 5_999)).toMatchObject({ type: 'ban' })
  expect(table.match('1.2.3.4', 6_000)).toMatchObject({ type: 'captcha' })
  expect(table.match('1.2.3.4', 7_000)).toBeUndefined()
})

it('keeps the later end, unless the earlier one was dropped in the same set of changes', async () => {
  const table = createDecisionTable(scores)
  table.put(decision('1.2.3.4', 'ban', 9_000), 0)
  await table.settle()
  table.put(decision('1.2.3.4', 'ban', 1_000), 0)
  expect(table.match('1.2.3.4', 0)?.until).toBe(9_000)
  await table.settle()
  table.drop(decision('1.2.3.4', 'ban', -1))
  expect(table.match('1.2.3.4', 0)?.until).toBe(9_000)
  table.put(decision('1.2.3.4', 'ban', 1_000), 0)
  await table.settle()
  expect(table.match('1.2.3.4', 0)?.until).toBe(1_000)
  expect(table.size).toBe(1)
})

it('dropping what it does not hold changes nothing', async () => {
  const table = createDecisionTable(scores)
  table.put(decision('10.0.0.0/8'), 0)
  await table.settle()
  for (const value of ['10.0.0.0/9', '10.0.0.0', '11.0.0.0/8', 'a00::/8']) table.drop(decision(value))
  table.drop(decision('10.0.0.0/8', 'captcha'))
  await table.settle()
  expect(table.size).toBe(1)
  expect(table.match('10.9.9.9', 0)).toBeDefined()
})

/** Few words, so that prefixes nest and meet. */
const values = fc.oneof(
  fc.tuple(fc.constantFrom('10.0.0.0', '10.0.0.1', '10.0.1.0', '138.0.0.1'), fc.constantFrom(8, 16, 24, 31, 32)),
  fc.tuple(
    fc.constantFrom('2001:db8::', '2001:db8::1', '2001:db8:0:1::', 'a00::'),
    fc.constantFrom(16, 32, 64, 127, 128),
  ),
)
const decisions = fc
  .tuple(values, fc.constantFrom('ban', 'captcha', 'throttle'), fc.integer({ min: 1, max: 20 }))
  .map(([[ip, length], type, left]) => decision(`${ip}/${length}`, type, left))
const changes = fc.record({
  gone: fc.array(decisions, { maxLength: 10 }),
  added: fc.array(decisions, { maxLength: 10 }),
  isGoneFirst: fc.boolean(),
  at: fc.nat(20),
})

it('answers as a plain list of all decisions would, deleted before new in whatever order they come', async () => {
  const asked = [
    '10.0.0.0',
    '10.0.0.1',
    '10.0.1.9',
    '10.200.0.1',
    '138.0.0.1',
    '2001:db8::',
    '2001:db8::1',
    '2001:db8:0:1::9',
    'a00::1',
  ]
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { maxLength: 6 }), fc.nat(40), async (sets, now) => {
      const table = createDecisionTable(scores)
      const model = new Map<string, Decision & { readonly until: number }>()
      const keyOf = ({ type, prefix }: Decision): string =>
        `${type} ${formatAddress(prefix.address)}/${prefix.length} ${prefix.address.family}`
      for (const { gone, added, isGoneFirst, at } of sets) {
        if (isGoneFirst) for (const each of gone) table.drop(each)
        for (const each of added) table.put(each, at)
        if (!isGoneFirst) for (const each of gone) table.drop(each)
        // In between nothing is missed that ran before, unless it was replaced.
        for (const each of model.values()) {
          if (each.until <= now || added.some((other) => keyOf(other) === keyOf(each))) continue
          expect(table.match(formatAddress(each.prefix.address), now)).toBeDefined()
        }
        await table.settle()
        // A decision in both lists is the new one, unless that came first and the old one ends later: then either would do.
        for (const each of gone)
          if (isGoneFirst || !added.some((other) => keyOf(other) === keyOf(each))) model.delete(keyOf(each))
        for (const each of added) {
          const until = at + each.left
          if ((model.get(keyOf(each))?.until ?? -1) < until) model.set(keyOf(each), { ...each, until })
        }
      }
      expect(table.size).toBe(model.size)
      for (const ip of asked) {
        const covering = [...model.values()].filter(({ until, prefix }) => until > now && covers(prefix, ip))
        const best = covering.toSorted((x, y) =>
          isGraver({ ...x, left: x.until }, { ...y, left: y.until }, scores) ? -1 : 1,
        )[0]
        const found = table.match(ip, now)
        expect(found && [found.type, found.until]).toEqual(best && [best.type, best.until])
      }
    }),
  )
})

function covers({ address, length }: Decision['prefix'], ip: string): boolean {
  const asked = parseAddress(ip)
  if (!asked || asked.family !== address.family) return false
  const { address: masked } = parsePrefix(`${ip}/${length}`)
  return formatAddress(masked) === formatAddress(address)
}
