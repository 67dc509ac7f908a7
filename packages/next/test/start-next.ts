import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { listenAs } from '@ipguard/tools/adapters'
import { withPeer } from '../src/peer.ts'
import { SERVER_HEADER, type SuitePlace, setupsOn } from './app/suite-setup.ts'
import type { BuiltApp } from './build-app.ts'

/** As much of `next()` as a custom server uses, in all three versions. */
interface NextServer {
  prepare(): Promise<void>
  getRequestHandler(): (req: IncomingMessage, res: ServerResponse) => Promise<void>
  close(): Promise<void>
}

export interface RunningNext {
  /** For the suite: a server of its own for each setup, in front of the one application. */
  readonly start: (place: SuitePlace) => (setup: AdapterSetup) => Promise<AdapterServer>
  readonly close: () => Promise<void>
}

let count = 0

/** Starts a built application in this process, where its code finds the guards of the suite. */
export async function startNext({ home, folder }: BuiltApp): Promise<RunningNext> {
  // Next reads it as it starts, and the test runner has put its own there. Its types make it read-only.
  Object.assign(process.env, { NODE_ENV: 'production' })
  const require = createRequire(join(home, 'node_modules/next/package.json'))
  const next = require('next') as (options: object) => NextServer
  const app = next({ dir: folder, dev: false, customServer: true, quiet: true })
  await app.prepare()
  const handle = app.getRequestHandler()
  const setups = setupsOn(AsyncLocalStorage)
  return {
    start: (place) => async (setup) => {
      const id = String(++count)
      setups.set(id, { ...setup, place })
      const server = createServer(
        withPeer((req: IncomingMessage, res: ServerResponse) => {
          req.headers[SERVER_HEADER] = id
          req.rawHeaders.push(SERVER_HEADER, id)
          withoutOwnVary(res)
          void handle(req, res)
        }),
      )
      const listening = await listenAs(setup, server)
      return {
        ...listening,
        close: async () => {
          setups.delete(id)
          await listening.close()
        },
      }
    },
    close: () => app.close(),
  }
}

/** Next names its router's headers in `Vary` on every answer, refusals too; the suite compares what the adapter says. */
function withoutOwnVary(res: ServerResponse): void {
  const writeHead = res.writeHead
  res.writeHead = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    const before = String(this.getHeader('vary') ?? '')
    const rest = before.split(/, */).filter((name) => name !== '' && !/^(rsc$|next-|accept-encoding$)/i.test(name))
    if (rest.length > 0) this.setHeader('vary', rest.join(', '))
    else this.removeHeader('vary')
    return Reflect.apply(writeHead, this, args) as ServerResponse
  }
}
