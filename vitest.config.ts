import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['@ipguard/source'] },
  ssr: { resolve: { conditions: ['@ipguard/source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
  },
})
