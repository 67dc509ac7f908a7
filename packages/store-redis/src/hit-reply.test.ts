import { hitOf, keyOf, limiter } from '@ipguard/conformance'
import { expect, it } from 'vitest'
import { createReplyReader } from './hit-reply.ts'

const NOW = 1_800_000_000_000
const client = keyOf('203.0.113.7')
const hit = hitOf(limiter({ limit: 5, window: '10s' }), client)
const plain = { admitted: true, retryIn: 0 }

it('a simple hit takes its slot and resetIn from its spec', () => {
  const reader = createReplyReader([NOW, 17, 900, 18, 800, -1, -5, -3], 2)
  expect(reader.next([hit], 1)).toEqual([{ ...plain, remaining: 0, resetIn: 900, slot: 17 }])
  expect(reader.next([hit], 2)).toEqual([{ ...plain, remaining: 4, resetIn: 800, slot: 18 }])
  expect(reader.next([hit], 1)).toEqual([{ ...plain, remaining: 2, resetIn: 900, slot: 17 }])
})

it('other hits say all by themselves, check after check', () => {
  const reader = createReplyReader([NOW, 0, 0, 1, 4, 900, 0, 17, 0, 0, 800, 700, 18, 1, 3, 600, 0, 19], 1)
  expect(reader.next([hit, hit], 1)).toEqual([
    { ...plain, remaining: 4, resetIn: 900, slot: 17 },
    { admitted: false, remaining: 0, resetIn: 800, retryIn: 700, slot: 18 },
  ])
  expect(reader.next([hit], 1)).toEqual([{ ...plain, remaining: 3, resetIn: 600, slot: 19 }])
})

it('what the flags announce follows: strikes, the ban that stood, the ban made now, the lease', () => {
  const stood = `${NOW + 5} {"kind":"ban","createdAt":${NOW},"expiresAt":${NOW + 5},"by":"manual"}`
  const made = `${NOW + 9} {"kind":"ban","createdAt":${NOW},"expiresAt":${NOW + 9},"tier":"jail","by":"limit"}`
  const reader = createReplyReader([NOW, 0, 0, 30, 0, 800, 5, 18, 2, stood, made, 3, 400], 1)
  const place = { id: 'ban 203.0.113.7/32', cidr: '203.0.113.7/32', kind: 'ban', createdAt: NOW }
  expect(reader.next([hit], 1)).toEqual([
    {
      admitted: false,
      remaining: 0,
      resetIn: 800,
      retryIn: 5,
      slot: 18,
      strikes: 2,
      ban: { ...place, expiresAt: NOW + 5, by: 'manual' },
      banned: { ...place, expiresAt: NOW + 9, tier: 'jail', by: 'limit' },
      leased: { amount: 3, usableFor: 400 },
    },
  ])
})

it('of a ban without an end it is never that a request would pass', () => {
  const reader = createReplyReader([NOW, 0, 0, 4, 5, 0, 0, 18, `0 {"kind":"ban","createdAt":${NOW},"by":"manual"}`], 1)
  const [reply] = reader.next([hit], 1)
  expect([reply?.retryIn, reply?.ban?.expiresAt]).toEqual([Number.MAX_SAFE_INTEGER, undefined])
})

it('a slot is 32 bits with a sign, as that of other stores', () => {
  const reader = createReplyReader([NOW, 2_999_999_999, 900, -1, 1, 4, 900, 0, 3_000_000_000], 1)
  const slots = [...reader.next([hit], 1), ...reader.next([hit], 1)].map(({ slot }) => slot)
  expect(slots).toEqual([2_999_999_999 | 0, 3_000_000_000 | 0])
})

it('an IPv6 client is banned by its prefix', () => {
  const ban = `0 {"kind":"ban","createdAt":${NOW},"by":"manual","policy":"a \\"b\\""}`
  const reader = createReplyReader([NOW, 0, 0, 4, 5, 0, 0, 18, ban], 1)
  const [reply] = reader.next([{ ...hit, key: keyOf('2001:db8:0:1::/64') }], 1)
  expect(reply?.ban?.id).toBe('ban "a \\"b\\"" 2001:db8:0:1::/64')
})
