import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AdapterServer, AdapterSetup } from '@ipguard/conformance'
import type { GuardRequest } from '@ipguard/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { findProxies, proxySuite } from './proxy-suite.ts'

beforeAll(findProxies, 300_000)

interface Adapter {
  readonly read: (native: IncomingMessage, name: string) => string | undefined
  readonly peer: (native: IncomingMessage) => string | undefined
}

const lines = (native: IncomingMessage, name: string): readonly string[] => native.headersDistinct[name] ?? []
const sound: Adapter = {
  read: (native, name) => lines(native, name).join(', ') || undefined,
  peer: ({ socket }) => socket.remoteAddress,
}

/** Adapters that are wrong, and a row that has to show it. */
const FAULTS: readonly (readonly [what: string, adapter: Adapter, row: string])[] = [
  [
    'reads the first line of a header only',
    { ...sound, read: (native, name) => lines(native, name)[0] },
    'behind HAProxy with option forwardfor, the client is the caller',
  ],
  [
    'takes the caller’s word for the peer',
    { ...sound, peer: (native) => lines(native, 'x-real-ip')[0] ?? sound.peer(native) },
    'with nothing in front, on 127.0.0.1, the client is the caller',
  ],
  ['sees no peer', { ...sound, peer: () => undefined }, 'behind Caddy as it comes, the client is the caller'],
  [
    'reads the leftmost element',
    { ...sound, read: (native, name) => sound.read(native, name)?.split(',')[0] },
    'behind nginx that appends to X-Forwarded-For, the client is the caller',
  ],
]

describe('proxySuite', () => {
  it.each(FAULTS)('finds an adapter that %s', async (_what, adapter, row) => {
    await expect(rows(adapter).get(row)?.()).rejects.toThrow('expected')
  })

  it.each(FAULTS.map(([, , row]) => row))('lets a sound one pass: %s', async (row) => {
    await rows(sound).get(row)?.()
  })
})

/** The tests of the suite by their names. */
function rows(adapter: Adapter): ReadonlyMap<string, () => Promise<void>> {
  const found = new Map<string, () => Promise<void>>()
  const test = (name: string, run: () => Promise<void>): unknown => found.set(name, run)
  proxySuite({ test, expect, start: (setup) => startApp(setup, adapter) })
  return found
}

async function startApp({ host, mounts }: AdapterSetup, { read, peer }: Adapter): Promise<AdapterServer> {
  const app = createServer((native, res) => {
    const headers = { get: (name: string) => read(native, name) }
    const request: GuardRequest = { method: 'GET', url: native.url ?? '/', headers, native }
    for (const { guard } of mounts) void guard.check(request, { peer: peer(native), facts: { plan: undefined } })
    res.end('seen')
  })
  await new Promise<void>((resolve) => app.listen(0, host, resolve))
  return {
    host,
    port: (app.address() as AddressInfo).port,
    close: () => new Promise((resolve) => app.close(() => resolve()).closeAllConnections()),
  }
}
