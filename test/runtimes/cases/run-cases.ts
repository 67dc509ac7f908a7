import type { SuiteTest } from '@ipguard/conformance'

/** One case that has run. */
export interface CaseResult {
  readonly name: string
  /** Absent when all was well. */
  readonly error?: string
}

export interface Cases {
  /** For the suites, which register their cases with it. */
  readonly test: SuiteTest
  /** Runs what was registered, one after the other. */
  readonly run: () => Promise<readonly CaseResult[]>
}

/** A test runner of a few lines, since not every runtime has one. */
export function createCases(): Cases {
  const all: { readonly name: string; readonly run: () => Promise<void> }[] = []
  return {
    test: (name, run) => all.push({ name, run }),
    async run() {
      const results: CaseResult[] = []
      for (const { name, run } of all) {
        try {
          await run()
          results.push({ name })
        } catch (error) {
          results.push({ name, error: error instanceof Error ? error.message : String(error) })
        }
      }
      return results
    },
  }
}
