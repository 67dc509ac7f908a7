import { server as createServer, type Plugin } from '@hapi/hapi'
import { createGuard, deny, type Guard, type GuardOptions, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { describe, expect, it } from 'vitest'
import { pageFiles } from './page-files.ts'

const { files, load } = pageFiles('adding-an-adapter.md')

describe('the adapter of docs/adding-an-adapter.md passes the suites as the page runs them', async () => {
  await load('suite.ts')
})

describe('docs/adding-an-adapter.md', () => {
  it('has an adapter of less than 50 lines', () => {
    expect(files['ipguard.ts']?.trimEnd().split('\n').length).toBeLessThan(50)
  })

  it('has one that takes options, with a store and warnings of its own', async () => {
    // What the page's file exports.
    const { ipguard } = (await load('ipguard.ts')) as {
      ipguard(options: GuardOptions): Plugin<unknown> & { readonly guard: Guard }
    }
    const plugin = ipguard({ policies: [rateLimit({ limit: 1, window: '1h' })] })
    const server = createServer({ host: '127.0.0.1', port: 0 })
    await server.register(plugin)
    server.route({ method: 'GET', path: '/', handler: () => 'in' })
    await server.start()
    const statuses = [(await fetch(server.info.uri)).status, (await fetch(server.info.uri)).status]
    await server.stop()
    await plugin.guard.close()
    expect(statuses).toEqual([200, 429])
    expect(() => ipguard({ policie: [] } as never)).toThrow(expect.objectContaining({ code: 'IPGUARD_OPTION_UNKNOWN' }))
  })

  it('has one for Fetch that refuses, and adds headers to what goes on', async () => {
    // What the page's file exports.
    const { guarded } = (await load('guarded.ts')) as {
      guarded(guard: Guard, request: Request, peer: string, handler: () => Promise<Response>): Promise<Response>
    }
    const policies = [deny(['203.0.113.0/24']), rateLimit({ limit: 9, window: '1h' })]
    const guard = createGuard({ store: memoryStore(), policies })
    const answer = async (peer: string): Promise<readonly unknown[]> => {
      const { status, headers } = await guarded(guard, new Request('http://h/'), peer, async () => new Response('in'))
      return [status, headers.get('ratelimit-policy')]
    }
    expect(await answer('203.0.113.9')).toEqual([403, null])
    expect(await answer('198.51.100.7')).toEqual([200, '"9-in-1h";q=9;w=3600'])
    await guard.close()
  })
})
