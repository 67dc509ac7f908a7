import { startSentinel } from '@ipguard/tools'
import { test } from 'vitest'
import { expectRow } from './faults-expect.ts'
import type { Harm } from './faults-row.ts'

test('when the primary is killed, the client finds the next one, and the guard is back with it', async () => {
  await expectRow('failover by Sentinel', { outages: 1 }, failover)
})

async function failover(): Promise<Harm> {
  const sentinel = await startSentinel()
  return {
    place: { kind: 'sentinel', name: sentinel.name, ports: sentinel.sentinelPorts },
    async run() {
      await sentinel.masterAfter(await sentinel.killMaster())
    },
    ports: () => [sentinel.master, ...sentinel.replicas].map(({ port }) => port),
    stop: sentinel.stop,
  }
}
