import { checkOptions, type Duration, invalidOption, parseDuration } from '@ipguard/core'
import type { MemoryStoreOptions } from './memory-store.ts'

export const DEFAULTS = { maxKeys: 100_000, maxBans: 100_000, maxRecords: 10_000 } as const
const KNOWN = ['maxKeys', 'maxBans', 'maxRecords', 'snapshot', 'onWarning', 'clock'] as const
const EVERY: Duration = '1s'

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID` */
export function checkMemoryStoreOptions(options: MemoryStoreOptions): { readonly every: number } {
  checkOptions(options, KNOWN, 'memoryStore')
  for (const key of ['maxKeys', 'maxBans', 'maxRecords'] as const) {
    const value = options[key]
    if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > 2 ** 24)) {
      throw invalidOption(`memoryStore.${key}`, value, 'a whole number from 1 to 16777216')
    }
  }
  const { snapshot } = options
  if (snapshot === undefined) return { every: 0 }
  checkOptions(snapshot, ['load', 'save', 'keepDamaged', 'every'], 'memoryStore.snapshot')
  if (typeof snapshot.load !== 'function' || typeof snapshot.save !== 'function') {
    throw invalidOption(
      'memoryStore.snapshot',
      snapshot,
      'an object with load() and save(), like fileSnapshot() of @ipguard/node',
    )
  }
  return { every: parseDuration(snapshot.every ?? EVERY, 'memoryStore.snapshot.every') }
}
