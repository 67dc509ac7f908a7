import { CATEGORIES } from '@ipguard/core'
import { expect, it } from 'vitest'
import { checkScores, FLAG_SCORES, flagScore } from './flag-score.ts'

it('every category has a score from 0 to 100', () => {
  expect(Object.keys(FLAG_SCORES)).toEqual([...CATEGORIES])
  expect(Object.values(FLAG_SCORES).every((score) => score >= 0 && score <= 100)).toBe(true)
})

it('the score is their sum, at most 100, each counted once', () => {
  expect([flagScore([]), flagScore(['vpn']), flagScore(['vpn', 'hosting']), flagScore(['vpn', 'vpn'])]).toEqual([
    0, 40, 65, 40,
  ])
  expect(flagScore(CATEGORIES)).toBe(100)
})

it('scores of the caller come first, 0 included', () => {
  expect(flagScore(['vpn', 'tor'], { vpn: 0 })).toBe(60)
})

it.each([[{ vpn: 101 }], [{ vpn: -1 }], [{ vpn: '40' }], [{ vpn: Number.NaN }], [{ vnp: 1 }], [[]], [null]])(
  'checkScores refuses %j',
  (scores) => {
    expect(() => checkScores(scores as never, 'mine')).toThrow(/^mine\.scores/)
  },
)
