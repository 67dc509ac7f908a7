import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Agent } from 'undici'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { providerFetch } from '../src/index.ts'

const manifest = join(import.meta.dirname, '../package.json')

/** Where `#dispatcher` leads under these conditions, beside those of Node that are always there. */
function dispatcherUnder(...conditions: readonly string[]): string {
  const code = `const from = require('node:module').createRequire(${JSON.stringify(manifest)})
    process.stdout.write(from.resolve('#dispatcher'))`
  const args = [...conditions.map((condition) => `--conditions=${condition}`), '--eval', code]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout.replace(/.*\/packages\/providers\//, '')
}

describe('undici', () => {
  it('is for Node', () => {
    expect(dispatcherUnder('@ipguard/source')).toBe('src/http/dispatcher-node.ts')
  })

  it.each(['workerd', 'edge-light', 'browser', 'bun', 'deno'])(
    'is not for %s, though it has conditions of Node',
    (condition) => {
      expect(dispatcherUnder('@ipguard/source', condition)).toBe('src/http/dispatcher-web.ts')
    },
  )
})

describe('the agent of Node', () => {
  afterEach(() => void vi.unstubAllGlobals())

  /** What the runtime's `fetch` is given, and an injected one. */
  async function dispatchers(): Promise<readonly unknown[]> {
    const given: unknown[] = []
    const fetch = async (_: unknown, init: object = {}): Promise<Response> => {
      given.push(Reflect.get(init, 'dispatcher'))
      return new Response('{}')
    }
    vi.stubGlobal('fetch', fetch)
    for (let i = 0; i < 2; i++) await providerFetch('https://x.example')
    await providerFetch('https://x.example', { fetch: fetch as typeof globalThis.fetch })
    return given
  }

  it('is one of its own, the same for all look-ups, and not for a fetch that was injected', async () => {
    const [first, second, injected] = await dispatchers()
    expect(first).toBeInstanceOf(Agent)
    expect([second === first, injected]).toEqual([true, undefined])
  })
})
