import { type Duration, parseDuration } from '../duration.ts'
import { IpGuardError } from '../errors.ts'
import { CATEGORIES, type Category } from './category.ts'
import type { Verdict } from './provider.ts'

/** The longest time for which an answer is kept, whatever its source says: 30 days. */
export const LONGEST_TTL = 2_592_000_000
const LONGEST_DETAIL = 200
const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

/**
 * A provider's answer, or a record of one, as a frozen verdict with nothing in it that is not known. Only own properties are read.
 *
 * @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when it is no verdict: nothing of it is used then.
 */
export function readVerdict(value: unknown): Verdict {
  const score = own(value, 'score')
  const confidence = own(value, 'confidence')
  const words = own(value, 'categories')
  const detail = own(value, 'detail')
  const ttl = own(value, 'ttl')
  if (!isWithin(score, 100)) throw noVerdict('score is no number from 0 to 100')
  if (confidence !== undefined && !isWithin(confidence, 1)) throw noVerdict('confidence is no number from 0 to 1')
  if (words !== undefined && !Array.isArray(words)) throw noVerdict('categories is no array')
  const categories = CATEGORIES.filter((each) => words?.includes(each))
  const text = typeof detail === 'string' ? detail.slice(0, LONGEST_DETAIL).replace(CONTROLS, ' ').trim() : ''
  return Object.freeze({
    score,
    ...(categories.length > 0 && { categories: Object.freeze<Category[]>(categories) }),
    ...(confidence !== undefined && { confidence }),
    // A duration by its type alone: what it is not, parseDuration refuses.
    ...(ttl !== undefined && { ttl: Math.min(LONGEST_TTL, parseDuration(ttl as Duration, 'ttl')) }),
    ...(text && { detail: text }),
  })
}

export function own(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

function isWithin(value: unknown, most: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= most
}

function noVerdict(why: string): IpGuardError {
  return new IpGuardError('IPGUARD_PROVIDER_ANSWER', `The answer is no verdict: ${why}.`)
}
