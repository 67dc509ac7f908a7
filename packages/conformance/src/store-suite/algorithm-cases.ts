import type { Algorithm } from '@ipguard/core'
import { hitOf, keyOf, limiter } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

const client = keyOf('203.0.113.7')
const sliding = limiter({ name: 'sliding', limit: 10, window: '10s' })
const fixed = limiter({ name: 'fixed', limit: 10, window: '10s', algorithm: 'fixed-window' })
const bucket = limiter({ name: 'bucket', limit: 10, window: '10s', algorithm: 'token-bucket' })

/** What holds for every algorithm. */
function forEach(algorithm: Algorithm): readonly StoreCase[] {
  const counter = limiter({ name: 'any', limit: 10, window: '10s', algorithm })
  return [
    {
      name: `${algorithm}: a request after retryIn passes`,
      async run({ expect, admitted, one }) {
        for (const [round, cost] of [1, 1, 3, 10, 7].entries()) {
          const begin = round * 100_000 + 1_234
          for (let at = begin; at < begin + 9_000; at += 977) await admitted(at, hitOf(counter, client), 3)
          const refused = await one(begin + 9_001, hitOf(counter, client, { cost: 10 }))
          expect(refused.admitted).toBe(false)
          const some = await one(begin + 9_001, hitOf(counter, client, { cost }), 'none')
          const after = await one(begin + 9_001 + some.retryIn, hitOf(counter, client, { cost }))
          expect(after.admitted).toBe(true)
        }
      },
    },
    {
      name: `${algorithm}: everything is forgotten after resetIn`,
      async run({ expect, admitted, one }) {
        await admitted(3_210, hitOf(counter, client), 4)
        const { resetIn } = await one(5_432, hitOf(counter, client, { cost: 3 }))
        const later = await one(5_432 + resetIn, hitOf(counter, client, { cost: 0 }))
        expect(later.remaining).toBe(10)
      },
    },
    {
      name: `${algorithm}: a clock that goes back counts as standing still`,
      async run({ expect, admitted }) {
        expect(await admitted(50_000, hitOf(counter, client), 20)).toBe(10)
        expect(await admitted(35_000, hitOf(counter, client), 5)).toBe(0)
        expect(await admitted(50_000, hitOf(counter, client), 5)).toBe(0)
        expect(await admitted(62_000, hitOf(counter, client), 20)).toBe(10)
      },
    },
    {
      name: `${algorithm}: reading with another limit changes nothing`,
      async run({ expect, admitted, one }) {
        await admitted(0, hitOf(counter, client), 10)
        for (let at = 1_000; at < 12_000; at += 500) {
          await one(at, hitOf(counter, client, { limit: 0, cost: 0 }), 'none')
          await one(at, hitOf(counter, client, { limit: 1, cost: 0 }))
        }
        expect(await admitted(12_000, hitOf(counter, client), 20)).toBe(10)
      },
    },
  ]
}

export const algorithmCases: readonly StoreCase[] = [
  ...forEach('sliding-window'),
  ...forEach('fixed-window'),
  ...forEach('token-bucket'),
  {
    name: 'sliding-window: a full window refuses until its part has left, 1.1 windows after it began',
    async run({ expect, one, admitted }) {
      expect(await admitted(9_999, hitOf(sliding, client), 20)).toBe(10)
      const refused = await one(10_001, hitOf(sliding, client))
      expect([refused.admitted, refused.retryIn]).toEqual([false, 9_999])
      expect(await admitted(19_999, hitOf(sliding, client), 3)).toBe(0)
      expect(await admitted(20_000, hitOf(sliding, client), 20)).toBe(10)
    },
  },
  {
    name: 'sliding-window: never more than the limit in any window, with bursts at its edges',
    async run({ expect, one }) {
      const passed: number[] = []
      for (let at = 0; at < 65_000; at += at % 10_000 > 9_000 || at % 10_000 < 1_100 ? 50 : 450) {
        if ((await one(at, hitOf(sliding, client))).admitted) passed.push(at)
      }
      const most = Math.max(...passed.map((from) => passed.filter((at) => at >= from && at < from + 10_000).length))
      expect(most).toBe(10)
    },
  },
  {
    name: 'sliding-window: a client that sends the limit in every 1.1 windows is never refused',
    async run({ expect, admitted }) {
      for (let round = 0; round < 30; round++) {
        expect(await admitted(777 + round * 11_000, hitOf(sliding, client), 10)).toBe(10)
      }
    },
  },
  {
    name: 'sliding-window: what was consumed leaves part by part',
    async run({ expect, admitted, one }) {
      for (let second = 0; second < 10; second++) await one(second * 1_000, hitOf(sliding, client))
      expect(await admitted(10_999, hitOf(sliding, client), 5)).toBe(0)
      expect(await admitted(11_000, hitOf(sliding, client), 5)).toBe(1)
      expect(await admitted(13_000, hitOf(sliding, client), 5)).toBe(2)
    },
  },
  {
    name: 'fixed-window: windows start at multiples of their length, and twice the limit can pass around an edge',
    async run({ expect, admitted, one }) {
      expect(await admitted(9_999, hitOf(fixed, client), 20)).toBe(10)
      expect((await one(9_999, hitOf(fixed, client))).retryIn).toBe(1)
      expect(await admitted(10_000, hitOf(fixed, client), 20)).toBe(10)
      expect(await admitted(19_999, hitOf(fixed, client), 5)).toBe(0)
    },
  },
  {
    name: 'token-bucket: refills steadily, and the limit may come at once',
    async run({ expect, admitted }) {
      expect(await admitted(0, hitOf(bucket, client), 20)).toBe(10)
      expect(await admitted(999, hitOf(bucket, client), 5)).toBe(0)
      expect(await admitted(2_001, hitOf(bucket, client), 5)).toBe(2)
      expect(await admitted(60_000, hitOf(bucket, client), 20)).toBe(10)
    },
  },
  {
    name: 'token-bucket: burst says how much may come at once, limit how fast it refills',
    async run({ expect, admitted }) {
      expect(await admitted(0, hitOf(bucket, client, { burst: 3 }), 20)).toBe(3)
      expect(await admitted(2_001, hitOf(bucket, client, { burst: 3 }), 20)).toBe(2)
      expect(await admitted(60_000, hitOf(bucket, client, { burst: 25 }), 40)).toBe(25)
    },
  },
  {
    name: 'token-bucket: with a limit of 0 only the burst passes, and is forgotten a window after the last of it',
    async run({ expect, admitted, one }) {
      const hit = hitOf(bucket, client, { limit: 0, burst: 3 })
      expect(await admitted(0, hit, 2)).toBe(2)
      const last = await one(5_000, hit)
      expect([last.admitted, last.remaining, last.resetIn]).toEqual([true, 0, 10_000])
      const refused = await one(14_999, hit)
      expect([refused.admitted, refused.resetIn, refused.retryIn]).toEqual([false, 1, 1])
      expect(await admitted(15_000, hit, 5)).toBe(3)
    },
  },
  {
    name: 'token-bucket: in any span at most burst + span / window * limit',
    async run({ expect, one }) {
      const passed: number[] = []
      for (let at = 0; at < 40_000; at += 130) {
        if ((await one(at, hitOf(bucket, client, { burst: 4 }))).admitted) passed.push(at)
      }
      const beyond = passed.filter((from, i) => passed.slice(i).some((at, n) => n + 1 > 4 + (at - from) / 1_000))
      expect(beyond).toEqual([])
    },
  },
]
