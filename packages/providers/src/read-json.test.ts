import { describe, expect, it } from 'vitest'
import { flag, list, number, object, optionalObject, required, text } from './read-json.ts'

describe('reading what came from outside', () => {
  it.each([
    [7, 7],
    ['7', 7],
    ['0.97993', 0.97993],
    [' -1 ', -1],
    ['1e2', 100],
    ['.5', 0.5],
    ['', undefined],
    [' ', undefined],
    ['abc', undefined],
    ['0x10', undefined],
    ['1,5', undefined],
    ['Infinity', undefined],
    ['1e999', undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [null, undefined],
    [true, undefined],
    [[7], undefined],
  ])('number: %j is %s', (value, expected) => {
    expect(number(value)).toBe(expected)
  })

  it.each([
    ...[true, 1, 'yes', 'true', 'YES', ' True ', '1'].map((value) => [value, true] as const),
    ...[false, 0, 'no', 'false', 'No', '0'].map((value) => [value, false] as const),
    ...[null, undefined, '', 'maybe', 2, -1, {}, [], 'Premium required.'].map((value) => [value, undefined] as const),
  ])('flag: %j is %s', (value, expected) => {
    expect(flag(value)).toBe(expected)
  })

  it('text: cut, and never empty', () => {
    expect([text('abc', 2), text(''), text(7), text('x'.repeat(300))?.length]).toEqual([
      'ab',
      undefined,
      undefined,
      200,
    ])
  })

  it('list: arrays alone', () => {
    expect([list([1]), list({ length: 1 }), list('a'), list(null)]).toEqual([[1], undefined, undefined, undefined])
  })

  it.each([[null], [7], ['{}'], [[]], [undefined], [true]])('object: %j is none', (value) => {
    expect(optionalObject(value)).toBe(undefined)
    expect(() => object(value)).toThrow(expect.objectContaining({ code: 'IPGUARD_PROVIDER_ANSWER' }))
  })

  it('object: has its own names and no others', () => {
    const fields = object(JSON.parse('{"a":1,"__proto__":{"b":2},"toString":3}'))
    expect([fields.a, fields.b, fields.constructor, fields.toString, Object.keys(fields)]).toEqual([
      1,
      undefined,
      undefined,
      3,
      ['a', '__proto__', 'toString'],
    ])
  })

  it('required: says what is missing', () => {
    expect(required(0, 'x')).toBe(0)
    expect(() => required(undefined, 'a score')).toThrow('The answer lacks a score.')
  })
})
