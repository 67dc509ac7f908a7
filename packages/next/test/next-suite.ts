import { type AdapterSetup, type AdapterSuiteOptions, adapterSuite, pathSuite } from '@ipguard/conformance'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { memoryStore } from '../src/index.ts'
import type { SuitePlace } from './app/suite-setup.ts'
import type { NextApp } from './next-app.ts'
import { nextCases } from './next-cases.ts'
import { pagePaths } from './page-paths.ts'
import { pagesNext } from './pages-next.ts'
import { peerNext } from './peer-next.ts'
import { runApp } from './running-app.ts'
import type { RunningNext } from './start-next.ts'

/** A hundred thousand are for `IPGUARD_SPELLINGS`: Next answers some hundred requests in a second. */
const SPELLINGS = Number(process.env.IPGUARD_SPELLINGS ?? 4_000)

/** Milliseconds: 20 s for each thousand. */
const PATIENCE = 60_000 + SPELLINGS * 20

/** All that is promised, for one application of the matrix: its proxy or middleware, route handlers, and what else Next has. */
export function nextSuite(app: NextApp): void {
  const { built, running } = runApp(app)
  beforeAll(() => {
    // Thousands of odd paths and some errors on purpose: Next writes a stack of each.
    vi.spyOn(console, 'error').mockImplementation(() => {})
  })
  afterAll(() => vi.restoreAllMocks())

  describe(`Next.js ${app.version}, ${app.file}.ts (${app.runtime})`, () => {
    adapterAndPaths('proxy', running, {
      before: 'the proxy is what comes first',
      route: 'a handler has RateLimit headers of its own beside the proxy’s',
      handle: 'Next hands nothing from the proxy to a handler but headers',
    })
    pagePaths(built, running)
  })
  describe(`Next.js ${app.version}, route handlers`, () => {
    adapterAndPaths('route', running, {
      before: 'a route handler answers a response of its own',
      mount: 'a route handler has one path',
      everywhere: 'it stands on the routes that have it',
    })
  })
  pagesNext(app, running)
  peerNext(app, built)
}

function adapterAndPaths(
  place: SuitePlace,
  started: () => RunningNext,
  capabilities: NonNullable<AdapterSuiteOptions['capabilities']>,
): void {
  const common = {
    expect,
    createStore: () => memoryStore(),
    start: (setup: AdapterSetup) => started().start(place)(setup),
  }
  adapterSuite({ ...common, test, capabilities })
  pathSuite({
    ...common,
    test: (name, run) => test(name, run, PATIENCE),
    spellings: place === 'proxy' ? SPELLINGS : SPELLINGS / 4,
  })
  nextCases(place, started)
}
