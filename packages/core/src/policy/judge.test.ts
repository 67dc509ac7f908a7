import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CATEGORIES, type Category } from '../reputation/category.ts'
import { createJudge, type Rules } from './judge.ts'

const ACTIONS = ['allow', 'limit', 'challenge', 'deny'] as const
const rank = (action: string): number => ACTIONS.indexOf(action as 'allow')

const rules: fc.Arbitrary<Rules> = fc
  .record({
    scores: fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 3, maxLength: 3 }),
    categories: fc.dictionary(
      fc.constantFrom(...CATEGORIES),
      fc.oneof(fc.nat(100), fc.constantFrom('deny' as const, 'challenge' as const, 'limit' as const)),
    ),
  })
  .map(({ scores, categories }) => {
    const [limit = 1, challenge = 2, deny = 3] = scores.toSorted((x, y) => x - y)
    return { limit, challenge, deny, categories: new Map(Object.entries(categories) as [Category, 'deny' | number][]) }
  })
const voice = fc.record({
  score: fc.nat(100),
  weight: fc.double({ min: 0.01, max: 1, noNaN: true }),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  categories: fc.subarray([...CATEGORIES], { maxLength: 3 }),
})
const voices = fc.array(voice, { maxLength: 6 })

describe('what several voices come to', () => {
  test('is never weaker with one voice more', () => {
    fc.assert(
      fc.property(rules, voices, voice, (given, said, more) => {
        const { judge } = createJudge(given)
        expect(rank(judge([...said, more]).action)).toBeGreaterThanOrEqual(rank(judge(said).action))
      }),
    )
  })

  test('lies between what is known and the worst, whatever the others say', () => {
    fc.assert(
      fc.property(rules, voices, voices, (given, known, others) => {
        const { judge, worst } = createJudge(given)
        const action = rank(judge([...known, ...others]).action)
        expect(action).toBeGreaterThanOrEqual(rank(judge(known).action))
        if (others.length > 0)
          expect(action).toBeLessThanOrEqual(
            rank(
              worst(
                known,
                others.map(({ weight }) => weight),
              ),
            ),
          )
      }),
    )
  })

  test('deny beats challenge beats limit beats allow', () => {
    const { judge } = createJudge({
      limit: 20,
      challenge: 40,
      deny: 60,
      categories: new Map([
        ['tor', 'deny'],
        ['vpn', 'challenge'],
        ['hosting', 'limit'],
      ]),
    })
    const act = (score: number, ...categories: Category[]) => judge([{ score, weight: 1, categories }]).action
    expect([act(0), act(20), act(40), act(60)]).toEqual([...ACTIONS])
    expect([act(0, 'hosting'), act(20, 'vpn'), act(40, 'hosting'), act(60, 'vpn'), act(0, 'vpn', 'tor')]).toEqual([
      'limit',
      'challenge',
      'challenge',
      'deny',
      'deny',
    ])
  })

  test('an action that is not known counts as deny', () => {
    const { judge } = createJudge({
      limit: 20,
      challenge: 40,
      deny: 60,
      categories: new Map([['tor', 'captcha' as 'deny']]),
    })
    expect(judge([{ score: 0, weight: 1, categories: ['tor'] }]).action).toBe('deny')
  })
})
