import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readVerdict } from './read-verdict.ts'
import { parseTold, renderTold, toldNow } from './told.ts'

const SETTINGS = { weight: 1, ttl: { verdict: 1000, unlisted: 500, error: 100 }, timeout: 1000, version: '' }

test.each<[unknown, object]>([
  [{ score: 50 }, { score: 50 }],
  [
    { score: 0, confidence: 1, ttl: '6h', more: 1 },
    { score: 0, confidence: 1, ttl: 21_600_000 },
  ],
  [
    { score: 50, categories: ['tor', '__proto__', 'constructor', 7, 'tor', 'vpn'] },
    { score: 50, categories: ['vpn', 'tor'] },
  ],
  [{ score: 50, categories: ['nothing known'] }, { score: 50 }],
  [
    { score: 50, detail: 'a\r\nb\u202ec' },
    { score: 50, detail: 'a b c' },
  ],
  [{ score: 50, detail: 7 }, { score: 50 }],
  [
    { score: 50, detail: 'x'.repeat(1000) },
    { score: 50, detail: 'x'.repeat(200) },
  ],
  [
    { score: 50, ttl: '400d' },
    { score: 50, ttl: 2_592_000_000 },
  ],
])('%j is read as %j, frozen', (value, expected) => {
  const verdict = readVerdict(value)
  expect(verdict).toEqual(expected)
  expect(Object.isFrozen(verdict)).toBe(true)
  expect(Object.isFrozen(verdict.categories ?? verdict)).toBe(true)
})

test.each<[string, unknown]>([
  ['null', null],
  ['a number', 100],
  ['a text', '{"score":100}'],
  ['no score', {}],
  ['NaN', { score: Number.NaN }],
  ['too much', { score: 1e9 }],
  ['less than nothing', { score: -1 }],
  ['a number as text', { score: '80' }],
  ['a confidence in percent', { score: 80, confidence: 90 }],
  ['categories that are no list', { score: 80, categories: 'tor' }],
  ['a duration that is none', { score: 80, ttl: -1 }],
  ['a score from a prototype', Object.create({ score: 100 })],
  ['a score behind __proto__', JSON.parse('{"__proto__":{"score":100}}')],
  [
    'a getter that throws',
    {
      get score() {
        throw new Error('no')
      },
    },
  ],
])('refuses %s', (_, value) => {
  expect(() => readVerdict(value)).toThrow()
})

test('whatever it is given, it throws or answers a verdict within its bounds', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), fc.anything(), fc.anything(), (value, score, categories) => {
      for (const each of [value, { score, categories }]) {
        try {
          const verdict = readVerdict(each)
          expect(verdict.score).toBeGreaterThanOrEqual(0)
          expect(verdict.score).toBeLessThanOrEqual(100)
        } catch (error) {
          expect(String(error)).toMatch(/IpGuardError/)
        }
      }
    }),
  )
})

describe('records', () => {
  test('are read as they were written', () => {
    for (const verdict of [undefined, readVerdict({ score: 50, categories: ['tor'], detail: 'list', ttl: 5000 })]) {
      const told = toldNow(verdict, SETTINGS, 1_000_000)
      expect(parseTold(renderTold(told), 1_000_000)).toEqual(told)
    }
  })

  test('end up to a tenth earlier than they might, never later', () => {
    for (let i = 0; i < 200; i++) {
      const { freshUntil } = toldNow(readVerdict({ score: 5 }), SETTINGS, 0)
      expect(freshUntil).toBeLessThanOrEqual(1000)
      expect(freshUntil).toBeGreaterThanOrEqual(900)
      expect(toldNow(undefined, SETTINGS, 0).freshUntil).toBeLessThanOrEqual(500)
      expect(toldNow(readVerdict({ score: 5, ttl: 100 }), SETTINGS, 0).freshUntil).toBeLessThanOrEqual(100)
    }
  })

  test('count longer when nothing newer is to be had: four times their TTL, a day at most', () => {
    const told = toldNow(undefined, SETTINGS, 0)
    expect(told.staleUntil - told.freshUntil).toBe(2000)
    const long = toldNow(readVerdict({ score: 5, ttl: '7d' }), SETTINGS, 0)
    expect(long.staleUntil - long.freshUntil).toBe(86_400_000)
  })

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['an object', '{"0":1,"1":2,"2":3}x'],
    ['no times', '["1","2","3"]'],
    ['times that run backwards', '[100,50,200]'],
    ['a time in the future', '[1e12,1e12,1e12]'],
    ['a time without end', '[100,1e15,1e15]'],
    ['null times', '[null,null,null]'],
    ['a verdict that is none', '[100,200,300,{"score":1e9}]'],
    ['a verdict in a prototype', '[100,200,300,{"__proto__":{"score":50}}]'],
  ])('%s is as good as no record', (_, text) => {
    expect(parseTold(text, 1000)).toBeUndefined()
  })

  test('whatever stands there, nothing is thrown', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseTold(text, 1000)))
  })
})
