import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuse, type Voice } from './fuse.ts'

const share = fc.double({ min: 0, max: 1, noNaN: true })
const score = fc.double({ min: 0, max: 100, noNaN: true })
const voice: fc.Arbitrary<Voice> = fc.record({ score, weight: share, confidence: fc.option(share, { nil: undefined }) })
const voices = fc.array(voice, { maxLength: 20 })

test.each<[readonly Voice[], readonly number[], number]>([
  [[], [], 0],
  [[{ score: 57, weight: 1 }], [], 57],
  [[{ score: 29, weight: 1 }], [], 29],
  [[{ score: 100, weight: 1 }], [], 100],
  [[{ score: 80, weight: 0.5 }], [], 40],
  [[{ score: 80, weight: 0.5, confidence: 0.5 }], [], 20],
  [
    [
      { score: 50, weight: 1 },
      { score: 50, weight: 1 },
    ],
    [],
    75,
  ],
  [[{ score: 50, weight: 1 }], [40], 70],
  [[{ score: 0, weight: 1 }], [], 0],
])('%j and %j come to %d', (given, added, expected) => {
  expect(
    fuse(
      given,
      added.map((each) => ({ score: each })),
    ),
  ).toBe(expected)
})

test('every whole score alone is that score, so a threshold means what it says', () => {
  for (let i = 0; i <= 100; i++) expect(fuse([{ score: i, weight: 1 }])).toBe(i)
})

test('is from 0 to 100 and never less with one voice more', () => {
  fc.assert(
    fc.property(voices, voice, (given, more) => {
      const before = fuse(given)
      const after = fuse([...given, more])
      expect(before).toBeGreaterThanOrEqual(0)
      expect(after).toBeLessThanOrEqual(100)
      expect(after).toBeGreaterThanOrEqual(before)
    }),
  )
})

test('is never less when a voice says more', () => {
  fc.assert(
    fc.property(voices, voice, score, (given, { score: low, ...rest }, other) => {
      const less = fuse([...given, { ...rest, score: Math.min(low, other) }])
      expect(fuse([...given, { ...rest, score: Math.max(low, other) }])).toBeGreaterThanOrEqual(less)
    }),
  )
})

test('does not depend on the order, but for rounding', () => {
  fc.assert(
    fc.property(voices, (given) => {
      expect(Math.abs(fuse(given) - fuse(given.toReversed()))).toBeLessThanOrEqual(0.011)
    }),
  )
})
