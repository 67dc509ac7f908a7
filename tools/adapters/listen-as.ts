import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { guardUpgrade } from '@ipguard/node'

/** Has a server listen as a setup of the adapter suite says, with the guards of all its mounts before its upgrades. */
export async function listenAs(setup: AdapterSetup, server: Server): Promise<AdapterServer> {
  for (const { guard } of setup.onUpgrade ? setup.mounts : []) guardUpgrade(server, guard)
  if (setup.onUpgrade) server.on('upgrade', setup.onUpgrade)
  await new Promise<void>((resolve) => server.listen(0, setup.host, resolve))
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo
  return {
    host: setup.host,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
