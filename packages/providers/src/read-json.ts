import { IpGuardError } from '@ipguard/core'

/** The own fields of an object that came from outside; a name that it does not have is undefined, whatever the name. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * The object that an answer, or a part of it, has to be.
 *
 * @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when it is anything else.
 */
export function object(value: unknown): Fields {
  return required(optionalObject(value), 'an object')
}

/** An object, or undefined for anything else. */
export function optionalObject(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  // With no prototype `constructor` is no function and `__proto__` a name like others. Object.assign answers `any`.
  return Object.assign(Object.create(null), value) as Fields
}

/** A finite number, also one that is written as text; else undefined. */
export function number(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string' || !/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d{1,3})?\s*$/i.test(value)) return undefined
  const read = Number(value)
  return Number.isFinite(read) ? read : undefined
}

/** Yes or no in the words of all vendors: true, 1, "yes", "true"; false, 0, "no", "false"; undefined for anything else. */
export function flag(value: unknown): boolean | undefined {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : value
  if (word === true || word === 1 || word === 'yes' || word === 'true' || word === '1') return true
  if (word === false || word === 0 || word === 'no' || word === 'false' || word === '0') return false
  return undefined
}

/** A text that is not empty, cut to `max` characters; else undefined. Still of the source: hostile. */
export function text(value: unknown, max = 200): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, max) : undefined
}

/** An array, or undefined for anything else. */
export function list(value: unknown): readonly unknown[] | undefined {
  // isArray narrows to any[].
  return Array.isArray(value) ? (value as readonly unknown[]) : undefined
}

/**
 * What must be there: `required(number(body.score), 'a number as score')`.
 *
 * @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when it is undefined.
 */
export function required<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value
  throw new IpGuardError('IPGUARD_PROVIDER_ANSWER', `The answer lacks ${what}.`)
}
