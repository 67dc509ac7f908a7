import { type Duration, IpGuardError, invalidOption, parseAddress, parseDuration } from '@ipguard/core'
import { startDeadline } from './http/deadline.ts'

/** An A record; `ttl` in seconds. */
export interface DnsRecord {
  readonly address: string
  readonly ttl: number
}

/**
 * Asks for the A records of a name. Rejects with a `code`: `ENOTFOUND` or `ENODATA` when there are none, `ETIMEOUT`, or any other. The records
 * may come without their TTL, as text.
 */
export type DnsResolve = (
  name: string,
  context: { readonly signal: AbortSignal },
) => Promise<readonly (DnsRecord | string)[]>

/** Which name servers are asked, and for how long. */
export interface DnsOptions {
  /** The deadline of one look-up. @default '3s' */
  readonly timeout?: Duration
  /** How often a server is asked within it. @default 2 */
  readonly tries?: number
  /** Name servers to ask, as `'127.0.0.1'`, `'127.0.0.1:5353'` or `'[::1]:5353'`. @default the system's */
  readonly servers?: readonly string[]
  /** In place of `node:dns`, for runtimes without it. */
  readonly resolve?: DnsResolve
}

export const DNS_OPTIONS: readonly string[] = ['timeout', 'tries', 'servers', 'resolve']

/** All but `timeout`, which every provider has. @throws {IpGuardError} `IPGUARD_OPTION_INVALID` */
export function checkDnsOptions({ tries, servers, resolve }: DnsOptions, factory: string): void {
  if (tries !== undefined && !(Number.isSafeInteger(tries) && tries >= 1 && tries <= 5)) {
    throw invalidOption(`${factory}.tries`, tries, 'a whole number from 1 to 5')
  }
  if (servers !== undefined && !(Array.isArray(servers) && servers.length > 0 && servers.every(isServer))) {
    throw invalidOption(`${factory}.servers`, servers, "addresses of name servers: ['127.0.0.1', '[::1]:5353']")
  }
  if (resolve !== undefined && typeof resolve !== 'function') {
    throw invalidOption(`${factory}.resolve`, resolve, 'a function that answers the A records of a name')
  }
}

function isServer(server: unknown): boolean {
  if (typeof server !== 'string') return false
  const [, bare = server] = /^\[?([^\]]*?)\]?(?::\d{1,5})?$/.exec(server) ?? []
  return parseAddress(server) !== undefined || parseAddress(bare) !== undefined
}

/** Asks for a name within the deadline; no records when there is no such name. */
export type DnsLookup = (name: string, signal: AbortSignal) => Promise<readonly DnsRecord[]>

interface LookupOptions extends DnsOptions {
  /** Of the provider, for messages. The name that is asked for is in none: it may have a key in it. */
  readonly source: string
  readonly timeout: Duration
}

/**
 * @throws {IpGuardError} (as rejections) `IPGUARD_DNS_MISSING` where there is no `node:dns`; `IPGUARD_PROVIDER_TIMEOUT`; `IPGUARD_PROVIDER_FAILED`
 * when the servers refuse, fail or cannot be reached.
 */
export function createDnsLookup({ source, timeout, tries = 2, servers, resolve }: LookupOptions): DnsLookup {
  const ms = parseDuration(timeout, 'timeout')
  const ask = resolve ?? createNodeResolve(ms, tries, servers)
  const late = (): IpGuardError =>
    new IpGuardError('IPGUARD_PROVIDER_TIMEOUT', `${source}: no name server answered within ${ms} ms.`)
  const aborted = (): IpGuardError =>
    new IpGuardError('IPGUARD_PROVIDER_TIMEOUT', `${source}: the answer was not waited for any longer.`)
  return async (name, signal) => {
    const deadline = startDeadline(ms, signal, late, aborted)
    try {
      // Aborted before it began: nobody is asked.
      const asked = deadline.passed ? new Promise<never>(() => undefined) : ask(name, { signal: deadline.signal })
      const records = await deadline.race(asked)
      return records.map((record) => (typeof record === 'string' ? { address: record, ttl: 0 } : record))
    } catch (error) {
      if (error instanceof IpGuardError) throw error
      const code = codeOf(error)
      if (code === 'ENOTFOUND' || code === 'ENODATA') return []
      if (code === 'ETIMEOUT' || code === 'ETIMEDOUT') throw late()
      throw new IpGuardError('IPGUARD_PROVIDER_FAILED', `${source}: the name servers could not tell (${code}).`)
    } finally {
      deadline.clear()
    }
  }
}

/** What is used of a resolver of `node:dns`. */
interface Resolver {
  setServers(servers: readonly string[]): void
  resolve4(name: string, options: { readonly ttl: true }): Promise<DnsRecord[]>
  cancel(): void
}

interface DnsModule {
  readonly Resolver: new (options: { readonly timeout: number; readonly tries: number }) => Resolver
}

/**
 * One resolver for each question that is under way, used again afterwards: `cancel` ends all questions of a resolver, and an abort must end only
 * its own.
 */
function createNodeResolve(ms: number, tries: number, servers: readonly string[] | undefined): DnsResolve {
  const free: Resolver[] = []
  let dns: Promise<DnsModule> | undefined
  return async (name, { signal }) => {
    dns ??= importDns()
    const module = await dns
    // Each try waits twice as long as the one before: together they fill the deadline.
    const resolver =
      free.pop() ?? new module.Resolver({ timeout: Math.max(1, Math.floor(ms / (2 ** tries - 1))), tries })
    if (servers) resolver.setServers(servers)
    const cancel = (): void => resolver.cancel()
    signal.addEventListener('abort', cancel)
    try {
      signal.throwIfAborted()
      return await resolver.resolve4(name, { ttl: true })
    } finally {
      signal.removeEventListener('abort', cancel)
      free.push(resolver)
    }
  }
}

async function importDns(): Promise<DnsModule> {
  let found: Partial<DnsModule> | undefined
  try {
    found = await import('node:dns/promises')
  } catch {}
  if (found?.Resolver) return found as DnsModule // it has what is used of it
  throw new IpGuardError(
    'IPGUARD_DNS_MISSING',
    'This runtime has no node:dns, which DNS lists are asked with. Give the provider a function as `resolve`, for example over DNS over HTTPS, or leave the list out here.',
  )
}

/** A code such as ESERVFAIL, and never a message: it has the name in it. */
function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,30}$/.test(code) ? code : 'no code'
}
