import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as core from '../packages/core/src/index.ts'
import { root } from './workspace.ts'

/** What every adapter for a framework has in common, beside what the suite of conformance asks of it over HTTP. */
const ADAPTERS = ['express', 'koa', 'fastify', 'hono', 'fetch', 'next']

type Create = (options: unknown, adapterOptions: unknown) => unknown

async function load(name: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(root, 'packages', name, 'src/index.ts')
  return (await import(path)) as Readonly<Record<string, unknown>> // any module is one
}

describe.each(ADAPTERS)('@ipguard/%s', (name) => {
  it('gives every name of core, memoryStore and ipguard, so that one import serves', async () => {
    expect(Object.keys(await load(name))).toEqual(
      expect.arrayContaining([...Object.keys(core), 'memoryStore', 'ipguard']),
    )
  })

  it.each([
    [{ policies: [], polices: [] }, {}, 'IPGUARD_OPTION_UNKNOWN'],
    [{ policies: [] }, { header: true }, 'IPGUARD_OPTION_UNKNOWN'],
    [{ policies: [] }, { facts: 'request.user' }, 'IPGUARD_OPTION_INVALID'],
    [undefined, {}, 'IPGUARD_OPTION_INVALID'],
  ])('refuses %j with %j when it is created', async (options, adapterOptions, code) => {
    const create = (await load(name)).ipguard as Create // as the test above holds
    expect(() => create(options, adapterOptions)).toThrow(expect.objectContaining({ code }))
  })

  it('is in the README’s table of frameworks', () => {
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(
      `[\`@ipguard/${name}\`](packages/${name}/README.md)`,
    )
  })
})
