import { startCluster } from '@ipguard/tools'
import { test } from 'vitest'
import { slotOf } from '../src/slot-of.ts'
import { expectRow } from './faults-expect.ts'
import { GREEDY, STRUCK } from './faults-report.ts'
import { type Harm, lasting } from './faults-row.ts'

/** For three tries of 13 s each, of which each may take twice as long on a machine that does other things too; in ms. */
const LIMIT = 180_000

test('slots that move under load cost nothing', { timeout: LIMIT }, async () => {
  await expectRow('64 slots moved in a cluster, twice', { outages: 0 }, migration)
})

/** The registry of entries, a client that is banned, one that will be, and ordinary ones. */
const MOVED = ['{entries}', STRUCK, GREEDY, ...Array.from({ length: 61 }, (_, i) => `20.0.0.${i}`)].map(slotOf)

async function migration(): Promise<Harm> {
  const cluster = await startCluster()
  return {
    place: { kind: 'cluster', ports: cluster.ports },
    async run() {
      // For more than a second some keys of a slot are here and others there, and who asks for one is sent on, or told to come again.
      // All to one node at a time: two that migrate to each other wait for each other.
      for (const to of [0, 1]) {
        await Promise.all(MOVED.map((slot) => cluster.moveSlot(slot, to, { keys: 1, during: () => lasting(400) })))
      }
    },
    ports: () => cluster.ports,
    stop: cluster.stop,
  }
}
