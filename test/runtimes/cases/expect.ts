import type { SuiteExpect } from '@ipguard/conformance'

/** As much of an assertion library as the suites need, on any runtime. */
export const expect: SuiteExpect = (actual) => ({
  toBe(expected) {
    if (!Object.is(actual, expected)) fail(actual, expected)
  },
  toEqual(expected) {
    if (!isEqual(actual, expected)) fail(actual, expected)
  },
})

function fail(actual: unknown, expected: unknown): never {
  throw new Error(`${show(actual)} came, not ${show(expected)}`)
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 300)
}

/** The same values all the way down; a key whose value is undefined is no key. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other) || one instanceof Error) return false
  if (one instanceof Map || one instanceof Set) return isEqual([...one], [...(other as typeof one)]) // the same prototype
  const [keys, others] = [keysOf(one), keysOf(other)]
  return (
    keys.length === others.length &&
    (!Array.isArray(one) || one.length === Reflect.get(other, 'length')) &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(Reflect.get(one, key), Reflect.get(other, key)))
  )
}

function keysOf(value: object): readonly string[] {
  return Object.keys(value).filter((key) => Reflect.get(value, key) !== undefined)
}
