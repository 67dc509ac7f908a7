import type { Algorithm, Hit } from '@ipguard/core'
import { customKey, hitOf, keyOf, limiter } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

const client = keyOf('203.0.113.7')
const other = keyOf('203.0.113.8')
const sliding = limiter({ name: 'sliding', limit: 10, window: '10s' })
const fixed = limiter({ name: 'fixed', limit: 10, window: '10s', algorithm: 'fixed-window' })
const bucket = limiter({ name: 'bucket', limit: 10, window: '10s', algorithm: 'token-bucket' })

/** What is left of 10 after 6 at 0 and 3 at 2 s, when of the 6 first 2 are given back at 4 s, and 4 when they are about to leave the count. */
const LATE = {
  'sliding-window': { first: 3, last: 10_999, second: 7 },
  'fixed-window': { first: 3, last: 9_999, second: 7 },
  'token-bucket': { first: 7, last: 6_999, second: 10 },
} as const
/** When 6 of 10 at 0 are forgotten. */
const FORGOTTEN = { 'sliding-window': 11_000, 'fixed-window': 10_000, 'token-bucket': 6_000 } as const

/** What holds for every algorithm. */
function forEach(algorithm: Algorithm): readonly StoreCase[] {
  const counter = limiter({ name: 'any', limit: 10, window: '10s', algorithm })
  const another = limiter({ name: 'another', limit: 10, window: '10s', algorithm })
  return [
    {
      name: `${algorithm}: a refund gives back what its slot consumed`,
      async run({ expect, one }) {
        const { slot } = await one(0, hitOf(counter, client, { cost: 4 }))
        const back = await one(0, hitOf(counter, client, { cost: -3, slot }))
        expect([back.admitted, back.remaining]).toEqual([true, 9])
      },
    },
    {
      name: `${algorithm}: a refund never gives more than the limit`,
      async run({ expect, one }) {
        const { slot } = await one(0, hitOf(counter, client))
        await one(0, hitOf(counter, client, { cost: -5, slot }))
        await one(0, hitOf(counter, other, { cost: -5, slot }))
        expect((await one(0, hitOf(counter, client))).remaining).toBe(9)
        expect((await one(0, hitOf(counter, other))).remaining).toBe(9)
      },
    },
    {
      name: `${algorithm}: a late refund gives back while what it consumed counts, to its last millisecond`,
      async run({ expect, one }) {
        const late = LATE[algorithm]
        const { slot } = await one(0, hitOf(counter, client, { cost: 6 }))
        await one(2_000, hitOf(counter, client, { cost: 3 }))
        const back = await one(4_000, hitOf(counter, client, { cost: -2, slot }))
        expect([back.admitted, back.remaining]).toEqual([true, late.first])
        expect((await one(late.last, hitOf(counter, client, { cost: -4, slot }))).remaining).toBe(late.second)
      },
    },
    {
      name: `${algorithm}: a late refund finds its slot, however short or long the window`,
      async run({ expect, one }) {
        // As numbers, slots of these are below 2^31, beyond it and beyond 2^32.
        const consumed: { readonly half: number; readonly back: Hit }[] = []
        for (const window of [500, 1_000, 5_000, 3_600_000]) {
          const hit = hitOf(limiter({ name: 'slots', limit: 10, window, algorithm }), client)
          const { slot } = await one(0, { ...hit, cost: 10 })
          consumed.push({ half: window / 2, back: { ...hit, cost: -5, slot } })
        }
        const left: number[] = []
        for (const { half, back } of consumed) left.push((await one(half, back)).remaining)
        const most = algorithm === 'token-bucket' ? 10 : 5
        expect(left).toEqual([most, most, most, most])
      },
    },
    {
      name: `${algorithm}: a refund of the latest hit brings resetIn forward to what is left`,
      async run({ expect, one }) {
        await one(0, hitOf(counter, client, { cost: 6 }))
        const { slot } = await one(2_500, hitOf(counter, client, { cost: 4 }))
        const { resetIn } = await one(3_000, hitOf(counter, client, { cost: -4, slot }))
        expect(3_000 + resetIn).toBe(FORGOTTEN[algorithm])
      },
    },
    {
      name: `${algorithm}: several refunds in one call each give back, twice to one counter too`,
      async run({ expect, send }) {
        const all = [
          hitOf(counter, client, { cost: 4 }),
          hitOf(another, client, { cost: 5 }),
          hitOf(counter, client, { cost: 3 }),
          hitOf(counter, other, { cost: 6 }),
          hitOf(another, customKey('key'), { cost: 7 }),
        ]
        const consumed = await send(0, all)
        const back = await send(
          0,
          all.map((hit, i) => ({ ...hit, cost: 1 - hit.cost, slot: consumed[i]?.slot ?? 0 })),
        )
        expect(back.map(({ admitted, remaining }) => [admitted, remaining])).toEqual([
          [true, 6],
          [true, 9],
          [true, 8],
          [true, 9],
          [true, 9],
        ])
      },
    },
  ]
}

export const refundCases: readonly StoreCase[] = [
  ...forEach('sliding-window'),
  ...forEach('fixed-window'),
  ...forEach('token-bucket'),
  {
    name: 'sliding-window: a refund that comes when its part has left takes nothing from later ones',
    async run({ expect, one, admitted }) {
      const { slot } = await one(0, hitOf(sliding, client, { cost: 10 }))
      for (const at of [11_000, 12_000, 22_000]) {
        await admitted(at, hitOf(sliding, client), 10)
        await one(at, hitOf(sliding, client, { cost: -10, slot }))
        expect(await admitted(at, hitOf(sliding, client), 5)).toBe(0)
      }
    },
  },
  {
    name: 'sliding-window: a refund that is too large takes nothing from other parts',
    async run({ expect, one }) {
      const { slot } = await one(0, hitOf(sliding, client, { cost: 2 }))
      await one(1_000, hitOf(sliding, client, { cost: 3 }))
      await one(2_000, hitOf(sliding, client, { cost: 4 }))
      expect((await one(2_000, hitOf(sliding, client, { cost: -9, slot }))).remaining).toBe(3)
      expect((await one(11_999, hitOf(sliding, client, { cost: 0 }))).remaining).toBe(3)
      expect((await one(12_000, hitOf(sliding, client, { cost: 0 }))).remaining).toBe(6)
    },
  },
  {
    name: 'fixed-window: a refund for a window that has passed takes nothing from this one',
    async run({ expect, one, admitted }) {
      const { slot } = await one(0, hitOf(fixed, client, { cost: 10 }))
      await admitted(10_000, hitOf(fixed, client), 10)
      await one(10_000, hitOf(fixed, client, { cost: -10, slot }))
      expect(await admitted(10_000, hitOf(fixed, client), 5)).toBe(0)
    },
  },
  {
    name: 'token-bucket: a late refund is on top of what has leaked, and never beyond the burst',
    async run({ expect, one, admitted }) {
      const { slot } = await one(0, hitOf(bucket, client, { cost: 6 }))
      await one(10_000, hitOf(bucket, client, { cost: 5 }))
      expect((await one(10_000, hitOf(bucket, client, { cost: -2, slot }))).remaining).toBe(7)
      await one(10_000, hitOf(bucket, client, { cost: -4, slot }))
      expect(await admitted(10_000, hitOf(bucket, client), 20)).toBe(10)
    },
  },
  {
    name: 'token-bucket: with a limit of 0 a refund does not put off when the rest is forgotten',
    async run({ expect, one }) {
      const none = { limit: 0, burst: 5 }
      const { slot } = await one(0, hitOf(bucket, client, { ...none, cost: 4 }))
      const back = await one(6_000, hitOf(bucket, client, { ...none, cost: -1, slot }))
      expect([back.remaining, back.resetIn]).toEqual([2, 4_000])
      expect((await one(9_999, hitOf(bucket, client, { ...none, cost: 0 }))).remaining).toBe(2)
      expect((await one(10_000, hitOf(bucket, client, { ...none, cost: 0 }))).remaining).toBe(5)
    },
  },
]
