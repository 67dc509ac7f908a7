import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { hitOf, keyOf, limiter, SUITE_START } from '@ipguard/conformance'
import type { StoreStats } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { expect, it } from 'vitest'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const COUNT = 100_000

function held(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Bytes for each of 100,000 clients that a store keeps after `hit`. */
function bytesEach(ban: boolean): number {
  const store = memoryStore({ maxKeys: COUNT, maxBans: 2 * COUNT })
  const counter = limiter({ name: 'measured', ladder: [{ ban: '30d', after: ban ? 1 : 9 }] })
  const before = held()
  for (let n = 0; n < COUNT; n++) {
    const key = keyOf(`${(n >> 16) + 50}.${(n >> 8) & 255}.${n & 255}.1`)
    void store.hit([hitOf(counter, key, { limit: 0, cost: 0, strike: true })], { now: SUITE_START, commit: 'all' })
  }
  const bytes = (held() - before) / COUNT
  // Still in use after the measurement.
  expect(store.name).toBe('memory')
  return bytes
}

it('a client with strikes and a ban cost no more than the README says', () => {
  const strikes = bytesEach(false)
  const bans = bytesEach(true) - strikes
  console.log(`bytes for each client with strikes: ${Math.round(strikes)}; for each ban: ${Math.round(bans)}`)
  expect(strikes).toBeLessThan(600)
  expect(bans).toBeLessThan(700)
})

it.each([10_000, 65_537, 100_000, 1_000_000])('a counter costs at most 65 bytes with maxKeys %i', (maxKeys) => {
  const store = memoryStore({ maxKeys })
  void store.hit([hitOf(limiter({ limit: 60, window: '60s' }), keyOf('203.0.113.7'))], {
    now: SUITE_START,
    commit: 'all',
  })
  // The memory store answers at once.
  const { counterBytes } = store.stats!() as StoreStats
  expect(counterBytes / maxKeys).toBeLessThanOrEqual(maxKeys === 65_537 ? 65 : 64)
})
