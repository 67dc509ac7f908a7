import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { AdapterServer, AdapterSetup } from '@ipguard/conformance'
import { pathSuite } from '@ipguard/conformance'
import { listenAs } from '@ipguard/tools/adapters'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ipguard, memoryStore } from '../src/index.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ipguard-static-'))
  mkdirSync(join(folder, 'mounted'))
  for (const name of ['admin', 'public', 'mounted/inner']) writeFileSync(join(folder, name), name)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The routes of the suite as files, which `express.static` finds by a path that it decodes and normalises as a file system does. */
function startStatic(setup: AdapterSetup): Promise<AdapterServer> {
  const app = express()
  for (const { path, guard } of setup.mounts) app.use(path, ipguard(guard))
  app.use(
    express.static(folder, {
      setHeaders: (res, file) => res.setHeader('x-handler', `/${relative(folder, file)}`),
    }),
  )
  return listenAs(setup, createServer(app))
}

describe('files behind express.static', () => {
  pathSuite({
    test: (name, run) => test(name, run, 180_000),
    expect,
    createStore: () => memoryStore(),
    start: startStatic,
    spellings: 20_000,
  })
})
