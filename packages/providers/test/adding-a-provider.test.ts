import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createGuard, type Provider, reputation } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, it } from 'vitest'
import type { HttpProviderOptions } from '../src/index.ts'
import { answering, lookup } from './answering.ts'

// The page's own code is run, not a copy of it: its first block is the provider, its second the test.
const page = readFileSync(join(import.meta.dirname, '../../../docs/adding-a-provider.md'), 'utf8')
const [provider = '', suite = ''] = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code)

const folder = join(import.meta.dirname, '../.cache/adding-a-provider')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'acme.ts'), provider)
writeFileSync(join(folder, 'suite.ts'), suite.replace(/^declare function acme.*$/m, "import { acme } from './acme.ts'"))

const load = async (file: string): Promise<unknown> => import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href)
// What the page's block exports.
const { acme } = (await load('acme.ts')) as { acme(options: HttpProviderOptions & { key: string }): Provider }

describe('the provider of docs/adding-a-provider.md passes the suite as the page runs it', async () => {
  await load('suite.ts')
})

describe('the provider of docs/adding-a-provider.md', () => {
  it('is less than 30 lines', () => {
    expect(provider.trimEnd().split('\n').length).toBeLessThan(30)
  })

  it('answers as the page says', async () => {
    const { fetch, sent } = answering({ risk: '92', tor: 'yes' }, { keyHeader: 'x-api-key' })
    expect(await lookup(acme({ key: 'k', fetch }))).toEqual({ score: 92, categories: ['tor'] })
    expect(sent).toEqual([{ method: 'GET', url: 'https://api.acme.example/v1/check?ip=9.9.9.9', key: 'k', body: '' }])
    expect(await lookup(acme({ key: 'k', fetch: answering({ risk: 0 }).fetch }))).toBe(undefined)
    expect(await lookup(acme({ key: 'k', fetch: answering('', { status: 404 }).fetch }))).toBe(undefined)
  })

  it('is asked once by a guard, and its word counts', async () => {
    const { fetch, sent } = answering({ risk: 92 })
    const policies = [reputation({ providers: [acme({ key: 'k', fetch })], wait: true, deny: 80 })]
    const guard = createGuard({ store: memoryStore(), policies })
    const request = { method: 'GET', url: '/', headers: new Headers() }
    const actions: string[] = []
    for (let i = 0; i < 3; i++) actions.push((await guard.check({ ...request }, { peer: '9.9.9.9' })).action)
    await guard.close()
    expect([actions, sent.length]).toEqual([['deny', 'deny', 'deny'], 1])
  })
})
