import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const packages = readdirSync(new URL('packages', import.meta.url)).toSorted()

const project = (name: string, include: readonly string[], limit: number): object => ({
  extends: true,
  test: { name, include: [...include], testTimeout: limit, hookTimeout: limit },
})

export default defineConfig({
  // The tests run on the sources: no build comes first, and a changed file is tested at once.
  resolve: { conditions: ['@ipguard/source'] },
  ssr: { resolve: { conditions: ['@ipguard/source'] } },
  test: {
    projects: [
      ...packages.map((name) => project(name, [`packages/${name}/src/**/*.test.ts`], 10_000)),
      project('repository', ['test/**/*.test.ts'], 60_000),
      // Real servers, started by the tests; the first run may have to fetch one.
      project(
        'integration',
        ['packages/*/test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'tools/**/*.test.ts'],
        60_000,
      ),
    ],
    coverage: { include: ['packages/*/src/**/*.ts'], exclude: ['**/*.test.ts', '**/*.gen.ts'] },
    reporters: process.env.IPGUARD_TEST_REPORT
      ? ['default', ['json', { outputFile: process.env.IPGUARD_TEST_REPORT }]]
      : ['default'],
  },
})
