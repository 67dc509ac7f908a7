import { hitOf, keyOf, limiter } from '@ipguard/conformance'
import type { Hit, HitCommit } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import type { StoredReply } from './hit-reply.ts'
import { createKeys } from './keys.ts'
import { createSlotSplitter } from './slot-splitter.ts'

const keys = createKeys('p')
const live = limiter({ name: 'live', limit: 5, window: '10s' })
const shadow = limiter({ name: 'shadow', limit: 5, window: '10s' }, true)
// Of three slots.
const [a, b, c] = ['203.0.113.7', '203.0.113.8', '203.0.113.9'].map(keyOf)

/** Refuses the clients that it is told to, and remembers what it was sent. */
function batcher(refused: readonly string[], refund: StoredReply | Error = reply({ remaining: 5, resetIn: 1 })) {
  const sent: (readonly [readonly string[], HitCommit])[] = []
  return {
    sent,
    async send(hits: readonly Hit[], commit: HitCommit) {
      sent.push([
        hits.map(({ key, cost, slot }) => `${key.text} ${cost}${slot === undefined ? '' : ` of ${slot}`}`),
        commit,
      ])
      if (hits[0]!.cost < 0) {
        if (refund instanceof Error) throw refund
        return [refund]
      }
      return hits.map(({ key }) => reply({ admitted: !refused.includes(key.text) }))
    },
  }
}

function reply(fields: Partial<StoredReply>): StoredReply {
  return { admitted: true, remaining: 4, resetIn: 9, retryIn: 0, slot: 17, ...fields }
}

describe('createSlotSplitter', () => {
  it('sends hits of one client as they are', async () => {
    const inner = batcher([])
    await createSlotSplitter(inner, keys).send([hitOf(live, a!), hitOf(shadow, a!)], 'all')
    expect(inner.sent).toEqual([[['203.0.113.7 1', '203.0.113.7 1'], 'all']])
  })

  it('sends hits of several clients slot by slot, and answers in their order', async () => {
    const inner = batcher([])
    const replies = await createSlotSplitter(inner, keys).send(
      [a!, b!, a!, c!].map((key, cost) => hitOf(live, key, { cost: cost + 1 })),
      'all',
    )
    expect(inner.sent).toEqual([
      [['203.0.113.7 1', '203.0.113.7 3'], 'all'],
      [['203.0.113.8 2'], 'all'],
      [['203.0.113.9 4'], 'all'],
    ])
    expect(replies.length).toBe(4)
  })

  it('gives back what was counted when another part refused, in its slot', async () => {
    const inner = batcher([b!.text])
    const replies = await createSlotSplitter(inner, keys).send(
      [hitOf(live, a!, { cost: 3 }), hitOf(live, b!), hitOf(live, c!, { cost: 0 })],
      'all',
    )
    expect(inner.sent.slice(3)).toEqual([[['203.0.113.7 -3 of 17'], 'all']])
    expect(replies.map(({ admitted, remaining }) => [admitted, remaining])).toEqual([
      [true, 5],
      [false, 4],
      [true, 4],
    ])
  })

  it.each([
    ['a refused shadow hit takes the other shadow hits back, and no live one', [b!.text], ['203.0.113.9 -1 of 17']],
    ['a refused live hit takes all back', [a!.text], ['203.0.113.9 -1 of 17']],
  ])('%s', async (_name, refused, given) => {
    const inner = batcher(refused)
    await createSlotSplitter(inner, keys).send([hitOf(live, a!), hitOf(shadow, b!), hitOf(shadow, c!)], 'all')
    const back = inner.sent.slice(3).flatMap(([hits]) => hits)
    expect(back).toEqual(refused.includes(a!.text) ? ['203.0.113.8 -1 of 17', ...given] : given)
  })

  it.each(['refusals', 'none'] as const)(
    "gives nothing back with commit '%s', which counts nothing",
    async (commit) => {
      const inner = batcher([b!.text])
      await createSlotSplitter(inner, keys).send([hitOf(live, a!), hitOf(live, b!)], commit)
      expect(inner.sent.length).toBe(2)
    },
  )

  it('answers all the same when it cannot be given back', async () => {
    const inner = batcher([b!.text], new Error('gone'))
    const replies = await createSlotSplitter(inner, keys).send([hitOf(live, a!), hitOf(live, b!)], 'all')
    expect(replies.map(({ admitted, remaining }) => [admitted, remaining])).toEqual([
      [true, 4],
      [false, 4],
    ])
  })

  it('rejects when a part does', async () => {
    const inner = {
      send: async ([hit]: readonly Hit[]) => (hit!.key === b ? Promise.reject(new Error('gone')) : [reply({})]),
    }
    await expect(createSlotSplitter(inner, keys).send([hitOf(live, a!), hitOf(live, b!)], 'all')).rejects.toThrow(
      'gone',
    )
  })
})
