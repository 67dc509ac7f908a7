import { expect, test } from 'vitest'
import { describe, IpGuardError } from './errors.ts'
import { checkOptions } from './options.ts'

test.each([
  [{ polices: [] }, 'createGuard has no option "polices". Did you mean "policies"?'],
  [{ Mode: 'shadow' }, 'Did you mean "mode"?'],
  [{ somethingElse: 1 }, 'createGuard has no option "somethingElse". Known: policies, mode.'],
  [{ ['__proto__']: 1 }, 'has no option "__proto__"'],
  [{ [Symbol('s')]: 1 }, 'has no option "Symbol(s)"'],
  [null, 'createGuard is null. Write an object with any of: policies, mode.'],
  [[], 'createGuard is an array of 0.'],
])('unknown keys are errors that name the nearest known one: %#', (options, message) => {
  const call = (): void => checkOptions(options, ['policies', 'mode'], 'createGuard')
  expect(call).toThrow(message)
  expect(call).toThrow(IpGuardError)
})

test('inherited properties are not options, and known ones pass', () => {
  expect(() => checkOptions(Object.create({ polices: 1 }), ['mode'], 'x')).not.toThrow()
  expect(() => checkOptions({ mode: 1 }, ['mode'], 'x')).not.toThrow()
})

test('what was received is shown short and without control characters', () => {
  expect(describe('a\r\n\u001b[31m\u202e\u2028')).toBe('"a\\r\\n\\u001b[31m\\u202e\\u2028"')
  expect(describe('x'.repeat(200)).length).toBeLessThan(70)
  expect([describe([1, 2]), describe({}), describe(() => 1), describe(undefined)]).toEqual([
    'an array of 2',
    'an object',
    'a function',
    'undefined',
  ])
})
