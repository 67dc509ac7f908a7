import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const FIRST = 10_000
/** How far above its port a cluster node listens for the other nodes. */
const BUS = 10_000

/**
 * A port of 127.0.0.1 that was free a moment ago, and so was the bus port that a cluster node needs 10000 above it.
 *
 * Below the ports that systems give to outgoing connections (32768 and up on Linux): nothing takes the port of a server
 * that is down for a moment, and a client that dials it then cannot be connected to itself.
 */
export async function redisPort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(FIRST, FIRST + BUS)
    if ((await isFree(port)) && (await isFree(port + BUS))) return port
  }
  throw new Error(`No free pair of ports was found from ${FIRST} to ${FIRST + 2 * BUS - 1} of 127.0.0.1.`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
