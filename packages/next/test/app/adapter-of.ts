import type { AdapterMount } from '@ipguard/conformance'
import { ipguard } from '../../src/index.ts'

export type SuiteAdapter = ReturnType<typeof ipguard>

const made = new WeakMap<Pick<AdapterMount, 'guard'>, SuiteAdapter>()

/** The adapter of one mount; made once, as an application makes it when its module is loaded. */
export function adapterOf(mount: AdapterMount): SuiteAdapter {
  const before = made.get(mount)
  if (before) return before
  const { path: _path, guard, facts, ...rest } = mount
  const adapter = ipguard(guard, {
    ...rest,
    ...(facts && { facts: (native: Request) => facts((name) => native.headers.get(name) ?? undefined) }),
  }) as SuiteAdapter
  made.set(mount, adapter)
  return adapter
}
