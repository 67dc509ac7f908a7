/** What a suite needs of a test runner: vitest, jest, bun:test, Deno's and Playwright's `test` fit as they are. */
export type SuiteTest = (name: string, run: () => Promise<void>) => unknown

/** What a suite needs of an assertion library; `expect` of vitest, jest, bun:test or `@std/expect` fits as it is. */
export type SuiteExpect = (actual: unknown) => {
  toBe(expected: unknown): unknown
  toEqual(expected: unknown): unknown
}
