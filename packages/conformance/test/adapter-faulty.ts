import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  allowHeaders,
  type Decision,
  type GuardRequest,
  isListHeader,
  mergeList,
  type Reply,
  type RequestHandle,
} from '@ipguard/core'
import type { AdapterMount, AdapterServer, AdapterSetup, RouteAnswer, RouteInput, SuiteFacts } from '../src/index.ts'
import type { Fault } from './adapter-faults.ts'
import { createMemory } from './adapter-memory.ts'

/** A small adapter for plain `node:http`, whole but for the one thing that `fault` names. */
export function faultyAdapter(fault: Fault | undefined): (setup: AdapterSetup) => Promise<AdapterServer> {
  const has = (one: Fault): boolean => fault === one

  const memory = createMemory()

  function decide(mount: AdapterMount, native: IncomingMessage): Promise<readonly [Decision, GuardRequest]> {
    const anew = (): ReturnType<typeof decideOnce> => decideOnce(mount, native)
    return has('keeps a decision for each connection') ? memory.first(native.socket, mount.guard, anew) : anew()
  }

  async function decideOnce(mount: AdapterMount, native: IncomingMessage): Promise<readonly [Decision, GuardRequest]> {
    const request = viewOf(mount, native)
    const facts = factsOf(mount, native)
    const decision = mount.guard.check(request, { peer: peerOf(native), ...(facts && { facts }) })
    if (decision instanceof Promise && has('does not wait for decisions')) return [{ action: 'allow', at: 0 }, request]
    if (has('keeps what it waits for on the connection')) return whenLate(native.socket, [decision, request])
    if (has('keeps what it waits for in one place')) return whenLate(memory, [decision, request])
    return [await decision, request]
  }

  async function whenLate(
    owner: object,
    waiting: readonly [decision: Decision | Promise<Decision>, request: GuardRequest],
  ): Promise<readonly [Decision, GuardRequest]> {
    const read = memory.latest(owner, waiting)
    await waiting[0]
    const [decision, request] = read()
    return [await decision, request]
  }

  function factsOf(mount: AdapterMount, native: IncomingMessage): SuiteFacts | undefined {
    const { facts } = mount
    if (!facts || has('forgets the facts')) return undefined
    const read = (): SuiteFacts => facts((name) => native.headers[name]?.toString())
    if (has('tells the facts of the first request')) return memory.first(memory, mount, read)
    return has('tells the facts of a connection’s first request') ? memory.first(native.socket, mount, read) : read()
  }

  function peerOf({ headers, socket }: IncomingMessage): string | undefined {
    const peer = (): string | undefined => socket.remoteAddress
    if (has('takes each connection for the first')) return memory.first(memory, faultyAdapter, peer)
    if (!has('takes the leftmost forwarded address for the peer')) return peer()
    return headers['x-forwarded-for']?.toString().split(',')[0]?.trim() ?? peer()
  }

  function handleOf(mount: AdapterMount, res: ServerResponse, made: RequestHandle): RequestHandle | undefined {
    if (has('hands the handler nothing')) return undefined
    const isFirst = has('hands the handler the first handle of its connection')
    if (isFirst) return memory.first(res.req.socket, mount, () => made)
    if (!has('forgets a handle when the answer is sent')) return made
    const unlessSent = async <T>(act: () => Promise<T>): Promise<T | undefined> =>
      res.writableEnded ? undefined : act()
    return {
      decision: made.decision,
      strike: (options) => unlessSent(() => made.strike(options)),
      refund: () => unlessSent(made.refund),
    }
  }

  function viewOf(mount: AdapterMount, native: IncomingMessage): GuardRequest {
    const first = has('reads the first of repeated lines only')
    const url = native.url ?? '/'
    return {
      method: native.method ?? 'GET',
      url: has('reads the URL that is left behind a prefix') && mount.path !== '/' ? url.slice(mount.path.length) : url,
      headers: {
        get(name) {
          if (has('always answers in text') && name === 'accept') return 'text/plain'
          const value = first ? native.headersDistinct[name]?.[0] : native.headers[name]
          return Array.isArray(value) ? value.join(', ') : value
        },
      },
      ...(!has('does not say which request it is') && {
        native: has('takes a connection for one request') ? native.socket : native,
      }),
    }
  }

  async function pass(
    mount: AdapterMount,
    native: IncomingMessage,
    res: ServerResponse,
    input: RouteInput,
  ): Promise<boolean> {
    const [decision, request] = await decide(mount, native)
    Object.assign(input, { handle: handleOf(mount, res, mount.guard.handle(request, decision)) })
    if (has('adds a header of its own')) res.setHeader('X-Guarded-By', 'ipguard')
    const forgets = has('forgets the RateLimit headers')
    const on = (mount.headers !== false || has('sends RateLimit headers where they are off')) && !forgets
    const exposeHeaders = !forgets && (mount.exposeHeaders ?? false)
    const headers = allowHeaders(decision, { rateLimitHeaders: on, exposeHeaders })
    for (const [name, value] of Object.entries(headers)) set(res, name, value)
    const refusal = mount.guard.reply(decision, request)
    if (refusal) send(res, refusal, on)
    return !refusal || has('calls the handler after a refusal')
  }

  async function serve(setup: AdapterSetup, native: IncomingMessage, res: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(setup.before ?? {})) res.setHeader(name, value)
    const input: RouteInput = { handle: undefined, readBody: () => text(native) }
    const path = native.url?.split('?')[0]
    const route = setup.routes.find((each) => each.method === native.method && each.path === path)
    const under = setup.mounts.filter((mount) => mount.path === '/' || path?.startsWith(`${mount.path}/`))
    const mounts = route?.guard ? [...under, { path: '/', guard: route.guard }] : under
    try {
      for (const mount of mounts) if (!(await pass(mount, native, res, input))) return
    } catch (error) {
      if (!has('lets in whom facts fail for')) throw error
    }
    if (mounts.length > 0 && has('reads the body away')) await text(native)
    if (mounts.length > 0 && has('calls the handler twice')) await route?.answer(input)
    const { status, headers, chunks } = (await route?.answer(input)) ?? { status: 404, headers: {}, chunks: [] }
    if (res.writableEnded) return
    if (status >= 500 && has('sends no RateLimit headers with a server error')) removeLimits(res)
    res.writeHead(status, has('keeps the last of several cookies') ? lastLines(headers) : headers)
    for (const chunk of chunks) res.write(chunk)
    res.end()
  }

  function set(res: ServerResponse, name: string, value: string): void {
    const begun = isListHeader(name) && !has('replaces the lists of the application') ? res.getHeader(name) : undefined
    res.setHeader(name, begun === undefined ? value : mergeList(String(begun), value))
  }

  function send(res: ServerResponse, { status, headers, body }: Reply, limits: boolean): void {
    const kept = Object.entries(headers).filter(([name]) => limits || !name.startsWith('RateLimit'))
    if (has('takes off what the application has set')) for (const name of res.getHeaderNames()) res.removeHeader(name)
    for (const [name, value] of kept) set(res, name, value)
    res.writeHead(has('forgets HEAD') && res.req.method === 'HEAD' ? 200 : status)
    if (res.req.method === 'HEAD' && has('refuses HEAD with a body')) res.socket?.end(body)
    res.end(body)
  }

  return async (setup) => {
    const server = createServer((native, res) => {
      serve(setup, native, res).catch(() => {
        if (!res.headersSent) res.writeHead(500)
        res.end()
      })
    })
    if (setup.onUpgrade) {
      const listener = upgrade(setup, setup.onUpgrade)
      server.on('upgrade', (...args) => void listener(...args))
    }
    await new Promise<void>((resolve) => server.listen(0, setup.host, resolve))
    const { port } = server.address() as AddressInfo
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    return { host: setup.host, port, close }
  }

  function upgrade(
    { mounts }: AdapterSetup,
    onUpgrade: NonNullable<AdapterSetup['onUpgrade']>,
  ): (native: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void> {
    return async (native, socket, head) => {
      for (const mount of has('leaves upgrades alone') ? [] : mounts) {
        const [decision, request] = await decide(mount, native)
        const refusal = mount.guard.reply(decision, request)
        if (!refusal) continue
        const lines = Object.entries(refusal.headers).map(([name, value]) => `${name}: ${value}\r\n`)
        socket.resume()
        socket.end(`HTTP/1.1 ${refusal.status} Refused\r\n${lines.join('')}\r\n${refusal.body}`)
        return
      }
      // The end of a line makes the suite's listener answer, so that nobody waits for what is lost.
      onUpgrade(native, socket, has('loses what follows a handshake') ? Buffer.from('\n') : head)
    }
  }
}

function removeLimits(res: ServerResponse): void {
  for (const name of res.getHeaderNames()) if (name.startsWith('ratelimit')) res.removeHeader(name)
}

/** As an object of texts holds headers, and a copy made by way of one. */
function lastLines(headers: RouteAnswer['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().at(-1) ?? '']))
}
