import { createGuard, deny, type Guard, memoryStore, rateLimit } from '@ipguard/next'

/** Next bundles the proxy and each route apart: without a place in common, each would have a guard and counters of its own. */
const shared = globalThis as { guard?: Guard }

shared.guard ??= createGuard({
  store: memoryStore(),
  policies: [deny(['198.51.100.0/24', '127.0.0.9/32']), rateLimit({ limit: 60, window: '60s' })],
})

/** In front of everything, in `proxy.ts`. */
export const guard = shared.guard

/** For the login: what the proxy has counted is not counted again. */
export const loginGuard = guard.with({ policies: [rateLimit({ name: 'login', limit: 3, window: '60s' })] })
