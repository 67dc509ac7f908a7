import { IpGuardError, type IpSet, ipSet } from '@ipguard/core'
import { expect, it } from 'vitest'
import { list } from '../src/list.ts'

const context = { signal: new AbortController().signal }

it('gives a verdict on whoever is on the list, with the entry and its label', () => {
  const provider = list({
    name: 'mine',
    list: ['198.51.100.0/24', { cidr: '203.0.113.7', label: 'scanner feed' }, '2001:db8::/32'],
    listing: { score: 60, categories: ['abuse'] },
  })
  expect(provider.local).toBe(true)
  expect(provider.lookup('198.51.100.9', context)).toEqual({
    score: 60,
    categories: ['abuse'],
    detail: '198.51.100.0/24',
  })
  expect(provider.lookup('203.0.113.7', context)).toMatchObject({ detail: '203.0.113.7/32 scanner feed' })
  expect(provider.lookup('2001:db8:1::1', context)).toMatchObject({ score: 60 })
  for (const ip of ['203.0.113.8', '9.9.9.9', '2001:db9::1', 'nonsense', '::ffff:9.9.9.9']) {
    expect(provider.lookup(ip, context)).toBeUndefined()
  }
})

it('scores 100 unless it is told otherwise, and by label where it is told', () => {
  const entries = [
    { cidr: '203.0.113.1', label: 'bad' },
    { cidr: '203.0.113.2', label: 'good' },
    { cidr: '203.0.113.3', label: '__proto__' },
    { cidr: '203.0.113.4', label: 'other' },
  ]
  const provider = list({
    list: entries,
    labels: { bad: { score: 90, categories: ['botnet'], label: 'Bad ones' }, good: 0 },
  })
  expect(entries.map(({ cidr }) => provider.lookup(cidr, context))).toEqual([
    { score: 90, categories: ['botnet'], detail: 'Bad ones: 203.0.113.1/32 bad' },
    undefined,
    { score: 100, detail: '203.0.113.3/32 __proto__' },
    { score: 100, detail: '203.0.113.4/32 other' },
  ])
})

it('could not tell from a live list that is not loaded, and follows one that changes', () => {
  const live: { current: IpSet | undefined } = { current: undefined }
  const provider = list({ name: 'feed', list: live })
  expect(() => provider.lookup('203.0.113.7', context)).toThrow(IpGuardError)
  expect(() => provider.lookup('203.0.113.7', context)).toThrow('The list of feed has not been loaded yet.')
  live.current = ipSet(['203.0.113.0/24'])
  expect(provider.lookup('203.0.113.7', context)).toMatchObject({ score: 100 })
  live.current = ipSet([])
  expect(provider.lookup('203.0.113.7', context)).toBeUndefined()
})

it.each([
  [{ list: [] }, 'list.list is "an empty list"'],
  [{ list: '203.0.113.7' }, 'list.list is "203.0.113.7"'],
  [{ list: undefined }, 'list.list is undefined'],
  [{ list: ['203.0.113.7/40'] }, 'is not a CIDR'],
  [{ list: ['203.0.113.7'], listing: 101 }, 'list.listing.score is 101'],
  [{ list: ['203.0.113.7'], labels: { a: -1 } }, 'list.labels["a"].score is -1'],
  [{ list: ['203.0.113.7'], name: 'a b' }, 'list.name is "a b"'],
  [{ list: ['203.0.113.7'], wieght: 1 }, 'Did you mean "weight"?'],
])('refuses %j', (options, message) => {
  expect(() => list(options as never)).toThrow(message)
})
