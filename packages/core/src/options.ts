import { describe, IpGuardError } from './errors.ts'

/**
 * Refuses anything but an object whose own keys are all known.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, naming the nearest known key; `IPGUARD_OPTION_INVALID` when it is no object.
 */
export function checkOptions(options: unknown, known: readonly string[], owner: string): void {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw invalidOption(owner, options, `an object with any of: ${known.join(', ')}`)
  }
  for (const key of Reflect.ownKeys(options)) {
    if (typeof key === 'string' && known.includes(key)) continue
    const near = nearest(String(key), known)
    throw new IpGuardError(
      'IPGUARD_OPTION_UNKNOWN',
      `${owner} has no option ${describe(String(key))}. ${near ? `Did you mean "${near}"? ` : ''}Known: ${known.join(', ')}.`,
    )
  }
}

/** The error for an option with a value that cannot be used; `expected` completes "Write ...". */
export function invalidOption(option: string, received: unknown, expected: string): IpGuardError {
  return new IpGuardError('IPGUARD_OPTION_INVALID', `${option} is ${describe(received)}. Write ${expected}.`)
}

/**
 * An option that counts something; absent it is fine.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` when it is no whole number from `least` to `most`.
 */
export function checkWhole(
  option: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most))
    return
  throw invalidOption(
    option,
    value,
    `a whole number from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}`,
  )
}

/**
 * An option that is one of some words; absent it is fine.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` naming them.
 */
export function checkChoice(option: string, value: unknown, choices: readonly string[]): void {
  if (value !== undefined) checkOneOf(option, value, choices)
}

/** The same for what must be there. */
export function checkOneOf(option: string, value: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(value)) throw invalidOption(option, value, `'${choices.join("' or '")}'`)
}

function nearest(key: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(key.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(key.toLowerCase(), candidate.toLowerCase())
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return 99
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap))
    }
    row = next
  }
  return row[b.length] ?? 99
}
