import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGuard, rateLimit, type Store } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { pageFiles } from './page-files.ts'

const { load } = pageFiles('adding-a-store.md')
// What the page's file exports.
const { sqliteStore } = (await load('sqlite-store.ts')) as { sqliteStore(options: { readonly path: string }): Store }

describe('the store of docs/adding-a-store.md passes the suite as the page runs it', async () => {
  await load('suite.ts')
})

describe('the store of docs/adding-a-store.md', () => {
  it('keeps bans and records over a restart, and starts empty where there is no file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ipguard-sqlite-'))
    const path = join(folder, 'ipguard.db')
    const request = { method: 'GET', url: '/', headers: new Headers() }
    const policies = [rateLimit({ limit: 1, window: '1m', ladder: [{ ban: '1h' }] })]
    const actions: string[] = []
    for (let run = 0; run < 2; run++) {
      const store = sqliteStore({ path })
      const guard = createGuard({ store, policies })
      for (let i = 0; i < 2; i++) actions.push((await guard.check({ ...request }, { peer: '203.0.113.9' })).action)
      actions.push(String(await store.get('verdict')))
      await store.set('verdict', 'kept', Date.now() + 60_000)
      await guard.close()
      await store.close?.()
    }
    rmSync(folder, { recursive: true })
    expect(actions).toEqual(['allow', 'limit', 'undefined', 'deny', 'deny', 'kept'])
  })
})
