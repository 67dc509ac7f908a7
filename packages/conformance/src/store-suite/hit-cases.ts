import { hitOf, keyOf, limiter, manyKeys } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

const five = limiter({ name: 'five', limit: 5, window: '10s' })
const two = limiter({ name: 'two', limit: 2, window: '10s' })
const shadowFive = limiter({ name: 'five', limit: 5, window: '10s' }, true)
const shadowOne = limiter({ name: 'one', limit: 1, window: '10s' }, true)
const struck = limiter({ name: 'struck', limit: 1, window: '10s', ladder: [{ ban: '1h', after: 9 }] })
const client = keyOf('203.0.113.7')
const other = keyOf('203.0.113.8')

export const hitCases: readonly StoreCase[] = [
  {
    name: 'hit: admits up to the limit, then refuses',
    async run({ expect, admitted }) {
      expect(await admitted(0, hitOf(five, client), 20)).toBe(5)
    },
  },
  {
    name: 'hit: a refused hit consumes nothing',
    async run({ expect, one, admitted }) {
      await admitted(0, hitOf(five, client, { cost: 2 }), 2)
      expect(await admitted(0, hitOf(five, client, { cost: 2 }), 9)).toBe(0)
      const last = await one(0, hitOf(five, client))
      expect([last.admitted, last.remaining]).toEqual([true, 0])
    },
  },
  {
    name: 'hit: says what is left after it',
    async run({ expect, one }) {
      const left: number[] = []
      for (let i = 0; i < 6; i++) left.push((await one(0, hitOf(five, client))).remaining)
      expect(left).toEqual([4, 3, 2, 1, 0, 0])
    },
  },
  {
    name: 'hit: several are admitted together and each consumes its cost',
    async run({ expect, send }) {
      const both = [hitOf(five, client, { cost: 3 }), hitOf(two, client)]
      const replies = await send(0, both)
      expect(replies.map(({ admitted, remaining }) => [admitted, remaining])).toEqual([
        [true, 2],
        [true, 1],
      ])
    },
  },
  {
    name: 'hit: when one of several is refused, none consumes',
    async run({ expect, send, one }) {
      const both = [hitOf(five, client), hitOf(two, client)]
      for (let i = 0; i < 2; i++) await send(0, both)
      const replies = await send(0, both)
      expect(replies.map(({ admitted, remaining }) => [admitted, remaining])).toEqual([
        [true, 3],
        [false, 0],
      ])
      expect((await one(0, hitOf(five, client, { cost: 0 }))).remaining).toBe(3)
    },
  },
  {
    name: 'hit: all-or-nothing holds whatever the order of the hits',
    async run({ expect, send, one }) {
      await send(0, [hitOf(two, client, { cost: 2 })])
      await send(0, [hitOf(two, client), hitOf(five, client)])
      expect((await one(0, hitOf(five, client, { cost: 0 }))).remaining).toBe(5)
    },
  },
  {
    name: 'hit: a counter that is met twice in one call counts both, and never beyond its limit',
    async run({ expect, send, one }) {
      await one(0, hitOf(five, client, { cost: 4 }))
      const replies = await send(0, [hitOf(five, client), hitOf(five, client)])
      expect(replies.map(({ admitted }) => admitted)).toEqual([true, false])
      expect((await one(0, hitOf(five, client, { cost: 0 }))).remaining).toBe(1)
    },
  },
  {
    name: 'hit: twelve counters in one call are all or none, in their order',
    async run({ expect, send }) {
      const algorithms = ['sliding-window', 'fixed-window', 'token-bucket'] as const
      const hits = Array.from({ length: 12 }, (_, i) => {
        const algorithm = algorithms[i % 3] ?? 'sliding-window'
        return hitOf(limiter({ name: `counter ${i}`, limit: 10 + i, window: '10s', algorithm }), client)
      })
      const last = hits.slice(-1).map((hit) => ({ ...hit, cost: 20 }))
      const seen: unknown[] = []
      for (const all of [hits, last, hits, hits.map((hit) => ({ ...hit, cost: 0 }))]) {
        seen.push((await send(0, all)).map(({ admitted, remaining }) => [admitted, remaining]))
      }
      const left = hits.slice(0, -1).map((_, i) => [true, 9 + i])
      expect(seen).toEqual([[...left, [true, 20]], [[true, 0]], [...left, [false, 0]], [...left, [true, 0]]])
    },
  },
  {
    name: 'hit: replies come in the order of the hits, none for none',
    async run({ expect, send }) {
      const keys = manyKeys(12)
      const replies = await send(
        0,
        keys.map((key, i) => hitOf(five, key, { limit: 10 + i })),
      )
      expect(replies.map(({ remaining }) => remaining)).toEqual(keys.map((_, i) => 9 + i))
      expect(await send(0, [])).toEqual([])
    },
  },
  {
    name: 'hit: cost 0 reads, and is admitted on a full counter',
    async run({ expect, one, admitted }) {
      expect(await admitted(0, hitOf(five, client, { cost: 0 }), 20)).toBe(20)
      expect(await admitted(0, hitOf(five, client), 20)).toBe(5)
      const read = await one(0, hitOf(five, client, { cost: 0 }))
      expect([read.admitted, read.remaining]).toEqual([true, 0])
    },
  },
  {
    name: "hit: commit 'none' changes neither counts nor strikes, and tells both",
    async run({ expect, one }) {
      await one(0, hitOf(struck, client))
      await one(0, hitOf(struck, client))
      for (let i = 0; i < 3; i++) {
        const read = await one(0, hitOf(struck, client), 'none')
        expect([read.admitted, read.remaining, read.strikes]).toEqual([false, 0, 1])
      }
      const free = await one(0, hitOf(five, other), 'none')
      expect([free.admitted, free.remaining]).toEqual([true, 5])
      expect((await one(0, hitOf(struck, other), 'none')).strikes).toBe(0)
      const { slot } = await one(0, hitOf(five, other))
      await one(0, hitOf(five, other, { cost: -1, slot }), 'none')
      expect((await one(0, hitOf(five, other, { cost: 0 }))).remaining).toBe(4)
    },
  },
  {
    name: "hit: commit 'refusals' consumes nothing, and who is refused strikes",
    async run({ expect, send, one }) {
      const free = await one(0, hitOf(five, client), 'refusals')
      expect([free.admitted, free.remaining]).toEqual([true, 5])
      await one(0, hitOf(struck, client))
      const [refused] = await send(0, [hitOf(struck, client), hitOf(five, client)], 'refusals')
      expect([refused?.admitted, refused?.strikes]).toEqual([false, 1])
      expect((await one(0, hitOf(five, client, { cost: 0 }))).remaining).toBe(5)
    },
  },
  {
    name: 'hit: only the hits that were refused themselves strike',
    async run({ expect, send, one }) {
      const also = limiter({ name: 'also', limit: 9, window: '10s', ladder: [{ ban: '1h', after: 9 }] })
      await one(0, hitOf(struck, client))
      await send(0, [hitOf(also, client), hitOf(struck, client)])
      expect((await one(0, hitOf(struck, client), 'none')).strikes).toBe(1)
      expect((await one(0, hitOf(also, client), 'none')).strikes).toBe(0)
    },
  },
  {
    name: 'shadow: a refused shadow hit holds back no live one',
    async run({ expect, send }) {
      const seen: unknown[] = []
      for (let i = 0; i < 3; i++) {
        const replies = await send(0, [hitOf(shadowOne, client), hitOf(five, client)])
        seen.push(replies.map(({ admitted, remaining }) => [admitted, remaining]))
      }
      expect(seen).toEqual([
        [
          [true, 0],
          [true, 4],
        ],
        [
          [false, 0],
          [true, 3],
        ],
        [
          [false, 0],
          [true, 2],
        ],
      ])
    },
  },
  {
    name: 'shadow: a shadow hit consumes nothing when a live one is refused',
    async run({ expect, send, one }) {
      await one(0, hitOf(two, client, { cost: 2 }))
      await send(0, [hitOf(two, client), hitOf(shadowFive, client)])
      expect((await one(0, hitOf(shadowFive, client, { cost: 0 }))).remaining).toBe(5)
    },
  },
  {
    name: 'shadow: when one shadow hit is refused, no shadow hit consumes',
    async run({ expect, send, one }) {
      const both = [hitOf(shadowOne, client), hitOf(shadowFive, client)]
      await send(0, both)
      await send(0, both)
      expect((await one(0, hitOf(shadowFive, client, { cost: 0 }))).remaining).toBe(4)
    },
  },
  {
    name: 'shadow: counts apart from the live counter of the same policy',
    async run({ expect, admitted }) {
      expect(await admitted(0, hitOf(shadowFive, client), 9)).toBe(5)
      expect(await admitted(0, hitOf(five, client), 9)).toBe(5)
    },
  },
  {
    name: 'hit: two counter objects with one id count together',
    async run({ expect, admitted }) {
      const copy = limiter({ name: 'five', limit: 5, window: '10s' })
      expect(await admitted(0, hitOf(five, client), 3)).toBe(3)
      expect(await admitted(0, hitOf(copy, client), 9)).toBe(2)
    },
  },
  {
    name: 'limit: another one keeps the count',
    async run({ expect, one, admitted }) {
      await admitted(0, hitOf(five, client), 5)
      expect((await one(0, hitOf(five, client, { limit: 3 }))).admitted).toBe(false)
      expect((await one(0, hitOf(five, client, { limit: 20 }))).remaining).toBe(14)
    },
  },
  {
    name: 'limit: 0 refuses everything',
    async run({ expect, one, admitted }) {
      expect(await admitted(0, hitOf(five, client, { limit: 0 }), 3)).toBe(0)
      expect((await one(0, hitOf(five, client))).remaining).toBe(4)
    },
  },
  {
    name: 'limit: beyond 65,535 it is exact too',
    async run({ expect, one, admitted }) {
      const large = limiter({ name: 'large', limit: 100_000, window: '10s' })
      await one(0, hitOf(large, client, { cost: 60_000 }))
      await one(0, hitOf(large, client, { cost: 39_998 }))
      expect(await admitted(0, hitOf(large, client), 5)).toBe(2)
    },
  },
  {
    name: 'limit: a cost above it consumes nothing, and retryIn says that it never passes',
    async run({ expect, one }) {
      const refused = await one(0, hitOf(five, client, { cost: 6 }))
      expect([refused.admitted, refused.remaining, refused.retryIn]).toEqual([false, 5, Number.MAX_SAFE_INTEGER])
    },
  },
  {
    name: 'hit: many in one turn are counted one by one',
    async run({ expect, send }) {
      const calls = Array.from({ length: 200 }, (_, i) => send(0, [hitOf(five, i % 2 === 0 ? client : other)]))
      const replies = (await Promise.all(calls)).flat()
      expect(replies.filter(({ admitted }) => admitted).length).toBe(10)
    },
  },
]
