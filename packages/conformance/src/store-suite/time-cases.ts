import type { Algorithm } from '@ipguard/core'
import { hitOf, keyOf, limiter, manyKeys } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

/** What is left of 8 a millisecond before everything is forgotten, after 3 at 0 and 2 at 2.5 s. */
const BEFORE = { 'sliding-window': 6, 'fixed-window': 3, 'token-bucket': 7 } as const

/** What holds for every algorithm. Times and window are such that what a bucket leaks between them is exact. */
function forEach(algorithm: Algorithm): readonly StoreCase[] {
  const counter = limiter({ name: 'exact', limit: 8, window: '8s', algorithm })
  return [
    {
      name: `${algorithm}: retryIn is when a request of that cost passes, and no later`,
      async run({ expect, one, admitted }) {
        const hits = manyKeys(8).map((key, i) => hitOf(counter, key, { cost: i + 1 }))
        for (const { key } of hits) await one(0, hitOf(counter, key, { cost: 5 }))
        for (const { key } of hits) await one(1_000, hitOf(counter, key, { cost: 2 }))
        for (const { key } of hits) await admitted(2_000, hitOf(counter, key), 4)
        // What a bucket has leaked may be rounded: it may ask for a millisecond more.
        const early = algorithm === 'token-bucket' ? 2 : 1
        const steps: { readonly at: number; readonly hit: (typeof hits)[number]; readonly passes: boolean }[] = []
        for (const hit of hits) {
          const { retryIn } = await one(2_500, hit)
          const end = 2_500 + retryIn
          steps.push({ at: end - early, hit, passes: false }, { at: end, hit, passes: true })
        }
        for (const { at, hit, passes } of steps.sort((x, y) => x.at - y.at)) {
          expect([at, hit.cost, (await one(at, hit)).admitted]).toEqual([at, hit.cost, passes])
        }
      },
    },
    {
      name: `${algorithm}: resetIn is when nothing counts any more, and no later, of a read and a refusal too`,
      async run({ expect, one }) {
        const client = keyOf('203.0.113.7')
        await one(0, hitOf(counter, client, { cost: 3 }))
        const last = await one(2_500, hitOf(counter, client, { cost: 2 }))
        const end = 2_500 + last.resetIn
        for (const cost of [0, 8])
          expect(3_000 + (await one(3_000, hitOf(counter, client, { cost }))).resetIn).toBe(end)
        const left: number[] = []
        for (const at of [end - 1, end]) left.push((await one(at, hitOf(counter, client, { cost: 0 }))).remaining)
        expect(left).toEqual([BEFORE[algorithm], 8])
      },
    },
  ]
}

export const timeCases: readonly StoreCase[] = [
  ...forEach('sliding-window'),
  ...forEach('fixed-window'),
  ...forEach('token-bucket'),
]
