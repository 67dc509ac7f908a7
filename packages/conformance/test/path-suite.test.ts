import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type AdapterServer, type AdapterSetup, pathSpellings, pathSuite } from '../src/index.ts'
import { type PipelinedAnswer, pipeline } from '../src/path-suite/pipeline.ts'
import { partsStore } from './adapter-store.ts'

/** What a server makes of a request target. */
interface Reading {
  /** The path that it routes by. */
  readonly router: (target: string) => string
  /** The target that it tells the guard. */
  readonly guard?: (target: string) => string
}

/** A server of plain `node:http` that reads targets in a way of its own. */
function startReading({
  router,
  guard = (target) => target,
}: Reading): (setup: AdapterSetup) => Promise<AdapterServer> {
  async function serve({ mounts, routes }: AdapterSetup, req: IncomingMessage, res: ServerResponse): Promise<void> {
    const target = req.url ?? '/'
    for (const mount of mounts) {
      const request = { method: 'GET', url: guard(target), headers: { get: () => undefined }, native: req }
      const decision = await mount.guard.check(request, { peer: req.socket.remoteAddress })
      const reply = mount.guard.reply(decision, request)
      if (!reply) continue
      res.writeHead(reply.status).end(reply.body)
      return
    }
    const path = router(target)
    const route = routes.find((each) => each.path === path)
    const answer = await route?.answer({ handle: undefined, readBody: async () => '' })
    res.writeHead(answer?.status ?? 404, answer?.headers).end(answer?.chunks.join(''))
  }

  return async (setup) => {
    const server = createServer((req, res) => void serve(setup, req, res))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, close }
  }
}

const plain = (target: string): string => /^(?:[a-z]+:\/\/[^/?#]*)?([^?#]*)/i.exec(target)?.[1] ?? target
const decoded = (target: string): string => {
  try {
    return decodeURIComponent(plain(target))
  } catch {
    return plain(target)
  }
}

const DENIED = 'paths: no spelling of a denied path reaches its handler'
const EXCEPTED = 'paths: no spelling reaches a handler by an exception for another path'
const UNRELATED = 'paths: unrelated ones are answered as if there were no guard'

async function failures(reading: Reading): Promise<readonly string[]> {
  const cases: { readonly name: string; readonly run: () => Promise<void> }[] = []
  pathSuite({
    test: (name, run) => cases.push({ name, run }),
    expect,
    createStore: partsStore,
    start: startReading(reading),
    spellings: 4_000,
  })
  const failed: string[] = []
  for (const { name, run } of cases) await run().catch(() => failed.push(name))
  return failed
}

describe('pathSuite', () => {
  it.each<readonly [what: string, reading: Reading, failed: readonly string[]]>([
    ['passes an exact router', { router: plain }, []],
    [
      'passes one that decodes, folds case and resolves dots',
      { router: (t) => resolved(decoded(t).toLowerCase()) },
      [],
    ],
    ['passes one that normalises as file servers do', { router: (t) => posix.normalize(decoded(t)) }, []],
    ['finds a router that decodes twice', { router: (t) => decoded(decoded(t)) }, [DENIED]],
    ['finds one that reads %u0061', { router: (t) => unescape(plain(t)) }, [DENIED]],
    [
      'finds one that drops a prefix that is excepted',
      { router: (t) => plain(t).replace(/^\/public/, '') },
      [DENIED, EXCEPTED],
    ],
    ['finds a guard that is told the decoded target', { router: plain, guard: () => '/public' }, [DENIED, EXCEPTED]],
    ['finds a guard that is told of the query', { router: plain, guard: (t) => t.replace('?', '/') }, [DENIED]],
    ['finds one that refuses too much', { router: plain, guard: (t) => t.replace(/^(\/admin).*/, '$1') }, [UNRELATED]],
    ['fails where no spelling reaches the handler', { router: () => '/nowhere' }, [DENIED, EXCEPTED]],
  ])('%s', async (_what, reading, failed) => {
    expect(await failures(reading)).toEqual(failed)
  })
})

/** As RFC 3986 says: an empty segment is one. */
function resolved(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/').slice(1)) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

describe('pathSpellings', () => {
  const take = (seed: number): readonly string[] => {
    const source = pathSpellings('/admin', seed)
    return Array.from({ length: 2_000 }, () => source.next().value)
  }

  it('gives the same ones for the same seed, each once, and others for another', () => {
    expect(take(7)).toEqual(take(7))
    expect(new Set(take(7)).size).toBe(2_000)
    const first = new Set(take(7))
    expect(take(8).filter((target) => !first.has(target)).length).toBeGreaterThan(1_000)
  })

  it('gives what a request line can hold', () => {
    expect(take(7).filter((target) => !/^(?:\/|[a-z]+:\/\/)[!-~]*$/i.test(target))).toEqual([])
  })
})

describe('pipeline', () => {
  it('has an answer for each request, also where the server closes on some', async () => {
    const server = createServer((req, res) => {
      if (req.url?.endsWith('7')) req.socket.destroy()
      else if (req.url?.endsWith('8')) res.writeHead(200, { connection: 'close', 'x-url': req.url }).end('closed')
      else if (req.url?.endsWith('9')) setImmediate(() => res.writeHead(200, { 'x-url': req.url }).end('late'))
      else {
        res.writeHead(200, { 'x-url': req.url }).write('in ')
        res.end('chunks')
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    // What the parser refuses, it may refuse before those in front of it are answered.
    const targets = Array.from({ length: 500 }, (_, i) => (i % 50 === 5 ? `\\${i}` : `/${i}`))
    const requests = targets.map((target, i) => ({ method: i % 3 ? 'GET' : 'HEAD', target }) as const)
    const answers = await pipeline({ host: '127.0.0.1', port }, requests)
    await new Promise((resolve) => server.close(resolve))
    const told = ({ status, head }: PipelinedAnswer): string => `${status} ${/x-url: (\S*)/.exec(head)?.[1] ?? ''}`
    expect(answers.map(told)).toEqual(
      targets.map((target) => (target.startsWith('\\') ? '400 ' : target.endsWith('7') ? '0 ' : `200 ${target}`)),
    )
  })
})
