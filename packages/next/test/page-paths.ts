import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AdapterServer, type RawRequest, rawExchange } from '@ipguard/conformance'
import { createGuard, deny, type GuardOptions, onPaths } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { expect, it } from 'vitest'
import type { BuiltApp } from './build-app.ts'
import type { RunningNext } from './start-next.ts'

type Sent = readonly [target: string, headers?: Readonly<Record<string, string>>]

const RSC = { RSC: '1' }
const PREFETCH = { RSC: '1', 'Next-Router-Prefetch': '1' }
const SEGMENT = { RSC: '1', 'Next-Router-Prefetch': '1', 'Next-Router-Segment-Prefetch': '/_tree' }
const DATA = { 'x-nextjs-data': '1' }

/** The other names under which Next serves a page to its own scripts, and an API route under none. */
function otherNames(build: string): readonly Sent[] {
  const names: Sent[] = []
  for (const page of ['/action', '/api/open'] as const) {
    for (const headers of [{}, RSC, PREFETCH, SEGMENT, DATA, { 'Next-Url': '/hello' }, { 'x-matched-path': page }])
      names.push([page, headers], [`${page}?_rsc=1`, headers], [`${page}/`, headers])
    for (const end of [
      '.rsc',
      '.prefetch.rsc',
      '.segments/_tree.segment.rsc',
      '.segments/_full.segment.rsc',
      '.html',
      '.json',
      '.txt',
    ])
      for (const headers of [{}, RSC, PREFETCH, SEGMENT]) names.push([`${page}${end}`, headers])
    for (const path of [
      `/_next/data/${build}${page}.json`,
      `/_next/data/x${page}.json`,
      `/_next/data/${build}/en${page}.json`,
    ])
      names.push([path], [path, DATA])
    for (const path of [
      `/hello?nxtPrest=${page.slice(1)}`,
      `/_next/../${page.slice(1)}`,
      `/en${page}`,
      `/default${page}`,
      `/index${page}`,
    ])
      names.push([path], [path, RSC])
    for (const header of [
      'x-matched-path',
      'x-now-route-matches',
      'x-invoke-path',
      'x-middleware-rewrite',
      'x-nextjs-rewritten-path',
    ])
      names.push(['/nowhere', { [header]: page }])
  }
  return names
}

/** Pages answer to more names than routes do. */
export function pagePaths(built: () => BuiltApp, started: () => RunningNext): void {
  it('lets nobody to a denied page by another name of it', async () => {
    const names = otherNames(readFileSync(join(built().folder, '.next/BUILD_ID'), 'utf8'))
    const bare = await reaching(names, [])
    const guarded = await reaching(names, [deny(['0.0.0.0/0'], { when: onPaths('/action', '/api/open') })])
    // The pages themselves, and what the scripts of Next ask for.
    expect([bare.includes('/action {}'), bare.includes('/action {"RSC":"1"}'), bare.includes('/api/open {}')]).toEqual([
      true,
      true,
      true,
    ])
    expect(guarded).toEqual([])
  })

  async function reaching(names: readonly Sent[], policies: GuardOptions['policies']): Promise<readonly string[]> {
    const guard = createGuard({ store: memoryStore(), onWarning: () => {}, policies })
    const server = await started().start('proxy')({ host: '127.0.0.1', mounts: [{ path: '/', guard }], routes: [] })
    const reached: string[] = []
    try {
      for (const [target, headers = {}] of names) {
        const body = await bodyOf(server, target, Object.entries(headers))
        // The field of the form in any of its forms, and the answer of the API route.
        if (/"word"|"client":/.test(body)) reached.push(`${target} ${JSON.stringify(headers)}`)
      }
    } finally {
      await server.close()
      await guard.close()
    }
    return reached
  }
}

/** Next sends its own scripts on to an address with a checksum of their headers. */
async function bodyOf(server: AdapterServer, target: string, headers: RawRequest['headers'] & object): Promise<string> {
  const first = await rawExchange(server, { target, headers })
  const { location } = first.headers
  return location === undefined ? first.body : (await rawExchange(server, { target: location, headers })).body
}
