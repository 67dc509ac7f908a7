import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AdapterServer, forgedHeaders, rawExchange } from '@ipguard/conformance'
import { createGuard, deny, type GuardOptions, onPaths, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { freePort, startProcess, waitUntil } from '@ipguard/tools'
import { describe, expect, it } from 'vitest'
import type { SuitePlace } from './app/suite-setup.ts'
import { BASE_PATH, LOCALES, type NextApp } from './next-app.ts'
import { runApp } from './running-app.ts'
import type { RunningNext } from './start-next.ts'

const PAGES = ['/admin', '/static', '/api/open'] as const

/** An application with a base path and locales: who is refused a page is refused it in every language, and by its data. */
export function locatedSuite(app: NextApp): void {
  const { built, running } = runApp(app)

  describe(`Next.js ${app.version}, ${app.file}.ts (${app.runtime}), with basePath and i18n, URLs ${app.located}`, () => {
    it('lets nobody to a refused page by another name of it, whether the rule names the base path or not', async () => {
      const paths = pathsTo(readFileSync(join(built().folder, '.next/BUILD_ID'), 'utf8'))
      const bare = await reached(running(), paths, [])
      for (const prefix of ['', BASE_PATH]) {
        const policies = [deny(['0.0.0.0/0'], { when: onPaths(...PAGES.map((page) => prefix + page)) })]
        expect(await reached(running(), paths, policies), prefix).toEqual([])
      }
      // The pages in two languages, and their data.
      const found = [`${BASE_PATH}/admin`, `${BASE_PATH}/fr/admin`, `${BASE_PATH}/fr/static`, `${BASE_PATH}/api/open`]
      expect(bare).toEqual(expect.arrayContaining(found))
      expect(bare.filter((path) => path.endsWith('.json')).length).toBeGreaterThan(9)
    }, 240_000)

    it('refuses no other page for its language, its base path or the end of its path', async () => {
      const policies = [
        deny(['0.0.0.0/0'], { when: onPaths('/nothing', '/admin/x', '/fr', '/open', `${BASE_PATH}/fr`) }),
      ]
      const paths = ['/admin', '/fr/admin', '/en/admin', '/api/open'].map((path) => BASE_PATH + path)
      expect(await reached(running(), paths, policies)).toEqual(paths)
    })

    it('asks guardApi about the path that the client asked for too, and counts once behind the same guard in the proxy', async () => {
      const path = `${BASE_PATH}/api/guarded`
      const statuses = async (place: SuitePlace, policies: GuardOptions['policies']): Promise<readonly number[]> => {
        const found: number[] = []
        await withServer(running(), place, policies, async (server) => {
          for (let i = 0; i < 3; i++) found.push((await rawExchange(server, { target: path })).status)
        })
        return found
      }
      for (const [place, name, expected] of [
        ['route', path, 403],
        ['route', '/api/guarded', 403],
        ['route', '/guarded', 200],
      ] as const) {
        const policies = [deny(['0.0.0.0/0'], { when: onPaths(name) })]
        expect(await statuses(place, policies), name).toEqual([expected, expected, expected])
      }
      expect(await statuses('proxy', [rateLimit({ limit: 2, window: '1h' })])).toEqual([200, 200, 429])
    })

    it('knows the connection by registerPeer() in the standalone server', async () => {
      const standalone = join(built().folder, '.next/standalone')
      const script = readdirSync(standalone, { recursive: true, encoding: 'utf8' }).find(
        (file) => file.endsWith('server.js') && !file.includes('node_modules') && !file.includes('.next/'),
      )
      const port = await freePort()
      const server = await startProcess({
        command: process.execPath,
        args: [join(standalone, script ?? 'no server.js was built')],
        env: { PORT: String(port), HOSTNAME: '127.0.0.1', NODE_ENV: 'production', SUITE_PEER: 'instrumentation' },
        port,
        timeout: 60_000,
      })
      try {
        const ask = (from: string) =>
          rawExchange({ host: '127.0.0.1', port }, { target: `${BASE_PATH}/admin`, from, headers: forgedHeaders })
        await waitUntil('instrumentation.ts has run', async () => (await ask('127.0.0.1')).status !== 500)
        const { status, body } = await ask('127.0.0.9')
        expect([status, body]).toEqual([403, '127.0.0.9'])
      } finally {
        await server.stop()
      }
    }, 120_000)
  })
}

/** What may lead to the pages, and what only looks like it. */
function pathsTo(build: string): readonly string[] {
  const bases = [BASE_PATH, '', '/SHOP', '/%73hop', `${BASE_PATH}${BASE_PATH}`, '//shop', '/x/../shop', '/shop/.']
  const languages = ['', ...LOCALES, 'FR', 'de-at', '%66r', 'fr/fr', 'fr/en', 'en/fr', '/fr', 'fr/', './fr', 'x/../fr']
  const data = ['', 'fr', 'FR', 'de-at', '%66r', 'fr/fr'].map((language) => `/_next/data/${build}/${language}`)
  const pages = [
    ...PAGES,
    '/Admin',
    '/%61dmin',
    '/admin/',
    '/admin.json',
    ...data.flatMap((start) =>
      ['/admin', '/static', '/api/open'].map((page) => `${start}${page}.json`.replace('//', '/')),
    ),
  ]
  const starts = bases.flatMap((base) => languages.map((language) => (language === '' ? base : `${base}/${language}`)))
  return [...new Set(starts.flatMap((start) => pages.map((page) => start + page)))]
}

/** The paths that lead to a page past a guard with these policies. */
async function reached(
  running: RunningNext,
  paths: readonly string[],
  policies: GuardOptions['policies'],
): Promise<readonly string[]> {
  const found: string[] = []
  await withServer(running, 'proxy', policies, async (server) => {
    for (const target of paths) {
      const { body } = await rawExchange(server, { target })
      if (body.includes('the page')) found.push(target)
    }
  })
  return found
}

async function withServer(
  running: RunningNext,
  place: SuitePlace,
  policies: GuardOptions['policies'],
  run: (server: AdapterServer) => Promise<void>,
): Promise<void> {
  const guard = createGuard({ store: memoryStore(), onWarning: () => {}, policies })
  const server = await running.start(place)({ host: '127.0.0.1', mounts: [{ path: '/', guard }], routes: [] })
  try {
    await run(server)
  } finally {
    await server.close()
    await guard.close()
  }
}
