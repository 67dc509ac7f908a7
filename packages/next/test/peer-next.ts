import { join } from 'node:path'
import { forgedHeaders, rawExchange } from '@ipguard/conformance'
import { freePort, type RunningProcess, startProcess, waitUntil } from '@ipguard/tools'
import { afterEach, describe, expect, it } from 'vitest'
import type { BuiltApp } from './build-app.ts'
import type { NextApp } from './next-app.ts'

/** Under `next start`, where the application's own guard answers and nothing is shared with the test. */
export function peerNext(app: NextApp, built: () => BuiltApp): void {
  let server: RunningProcess | undefined
  afterEach(() => server?.stop())

  async function start(env: Readonly<Record<string, string>>): Promise<RunningProcess> {
    const { home, folder } = built()
    const port = await freePort()
    const next = join(home, 'node_modules/next/dist/bin/next')
    server = await startProcess({
      command: process.execPath,
      args: [next, 'start', folder, '-H', '127.0.0.1', '-p', String(port)],
      env: { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', ...env },
      port,
      timeout: 60_000,
    })
    return server
  }

  describe(`Next.js ${app.version}, ${app.file}.ts (${app.runtime}), next start`, () => {
    it('knows the connection by registerPeer(), whatever the headers say', async () => {
      const target = { host: '127.0.0.1', port: (await start({ SUITE_PEER: 'instrumentation' })).port }
      // What comes before Next has run instrumentation.ts is an error, and no guess.
      await waitUntil('instrumentation.ts has run', async () => {
        const { status } = await rawExchange(target, { target: '/hello' })
        return status !== 500
      })
      for (const from of ['127.0.0.1', '127.0.0.9']) {
        const plain = await rawExchange(target, { target: '/hello', from })
        const forged = await rawExchange(target, { target: '/hello', from, headers: forgedHeaders })
        expect([plain.status, plain.body, forged.status, forged.body]).toEqual([403, from, 403, from])
      }
    })

    it('answers with an error that says what to do, where nothing tells the connection', async () => {
      const { port, output } = await start({})
      const answer = await rawExchange({ host: '127.0.0.1', port }, { target: '/hello', headers: forgedHeaders })
      expect([answer.status, output().includes('IPGUARD_PEER_MISSING'), output().includes('registerPeer()')]).toEqual([
        500,
        true,
        true,
      ])
    })
  })
}
