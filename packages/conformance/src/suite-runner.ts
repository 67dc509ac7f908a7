/** What a suite needs of a test runner: vitest, jest, bun:test, Deno's and Playwright's `test` fit as they are. */
export type SuiteTest = (name: string, run: () => Promise<void>) => unknown

/** What a suite needs of an assertion library; `expect` of vitest, jest, bun:test or `@std/expect` fits as it is. */
export type SuiteExpect = (actual: unknown) => {
  toBe(expected: unknown): unknown
  toEqual(expected: unknown): unknown
}

/** Registers a case; where a capability that it needs is lacking, a test that only names it with the reason. Nothing is skipped in silence. */
export function addCase<Capability extends string>(
  test: SuiteTest,
  lacking: Readonly<Partial<Record<Capability, string>>>,
  { name, needs = [] }: { readonly name: string; readonly needs?: readonly Capability[] },
  run: () => Promise<void>,
): void {
  const missing = needs.find((each) => lacking[each] !== undefined)
  if (missing === undefined) test(name, run)
  else test(`${name} (not ${missing}: ${lacking[missing]})`, async () => {})
}
