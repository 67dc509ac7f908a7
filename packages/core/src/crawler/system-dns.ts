import { type Address, parseAddress } from '../ip/address.ts'

/**
 * How names are looked up. An empty list is the answer "there is none"; a rejection is "could not tell". The signal is aborted when the
 * answer is not waited for any more.
 */
export interface CrawlerDns {
  /** The PTR names of an address in canonical text. */
  reverse(ip: string, signal: AbortSignal): Promise<readonly string[]>
  /** The A (4) or AAAA (6) addresses of a name. */
  addresses(name: string, family: 4 | 6, signal: AbortSignal): Promise<readonly string[]>
}

/** What is used of `node:dns`. */
interface Resolver {
  setServers(servers: readonly string[]): void
  cancel(): void
  resolvePtr(name: string): Promise<string[]>
  resolve4(name: string): Promise<string[]>
  resolve6(name: string): Promise<string[]>
}

type ResolverClass = new (options: { timeout: number; tries: number }) => Resolver

interface Runtime {
  readonly process?: { getBuiltinModule?(name: string): { promises?: { Resolver?: ResolverClass } } | undefined }
}

/**
 * The resolver of Node, Bun or Deno, asked of the runtime instead of imported, so that a bundle for another runtime does not need it.
 * Undefined where there is none. It asks the DNS alone, never a file of hosts.
 */
export function systemDns(servers: readonly string[] | undefined, timeout: number): CrawlerDns | undefined {
  const { process } = globalThis as Runtime // what may be there is optional in the type
  const found = process?.getBuiltinModule?.('node:dns')?.promises?.Resolver
  if (!found) return undefined
  const Resolver = found

  /** A resolver for each question, as `cancel` ends all that one has been asked: 0.07 ms. */
  async function ask(signal: AbortSignal, question: (resolver: Resolver) => Promise<string[]>): Promise<string[]> {
    signal.throwIfAborted()
    const resolver = new Resolver({ timeout: Math.ceil(timeout / 4), tries: 3 })
    if (servers) resolver.setServers(servers)
    const cancel = (): void => resolver.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return await question(resolver)
    } catch (error) {
      // No such name, or none of that type: an answer, and not a failure.
      if (/^(?:DNS_)?E(?:NOTFOUND|NODATA)$/.test(String((error as { code?: unknown } | undefined)?.code))) return []
      throw error
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  return {
    async reverse(ip, signal) {
      const address = parseAddress(ip)
      return address ? ask(signal, (resolver) => resolver.resolvePtr(arpaName(address))) : []
    },
    addresses: (name, family, signal) =>
      ask(signal, (resolver) => (family === 4 ? resolver.resolve4(name) : resolver.resolve6(name))),
  }
}

/** RFC 1035, 3.5 and RFC 3596, 2.5. */
export function arpaName({ family, a, b, c, d }: Address): string {
  if (family === 4) return `${a & 255}.${(a >>> 8) & 255}.${(a >>> 16) & 255}.${a >>> 24}.in-addr.arpa`
  const digits = [a, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  return `${digits.split('').reverse().join('.')}.ip6.arpa`
}
