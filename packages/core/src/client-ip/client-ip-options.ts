import { describe, IpGuardError } from '../errors.ts'
import { type IpSet, ipSet } from '../ip/ip-set.ts'
import { parsePrefix } from '../ip/prefix.ts'
import { checkOptions, invalidOption } from '../options.ts'

/**
 * A proxy that may name the client: an address, a CIDR, or one of
 * `'loopback'` (127.0.0.0/8, ::1), `'private'` (10/8, 172.16/12, 192.168/16, fc00::/7) and `'unix'` (the connection came
 * over a unix-domain socket). Prefer the proxy's own address: whoever can connect from these can name any client.
 */
export type TrustEntry = string

/** Where the client address comes from. `{}` is the socket address only, and no header is read. */
export interface ClientIpOptions {
  /**
   * The one header to read: `'x-forwarded-for'` and `'forwarded'` are walked from the right, any other carries one
   * address. @default none
   */
  readonly header?: string
  /** The proxies that may set the header. Required with a header, unless `originUnreachable`. */
  readonly trust?: readonly TrustEntry[]
  /** Take exactly the n-th element from the right, instead of the first that is not trusted. Lists only. */
  readonly hops?: number
  /** Nobody reaches this server but through the proxy, so the peer is not checked. In place of `trust`. @default false */
  readonly originUnreachable?: boolean
}

/** What a preset returns: plain data, which can be changed or written by hand just as well. */
export type ClientIpPreset = ClientIpOptions & { readonly header: string }

/** Options after checking: what the resolver runs on. */
export interface ClientIpPlan {
  readonly header: string | undefined
  readonly rule: 'single' | 'hops' | 'rightmost-untrusted'
  /** 0: walk to the first untrusted element. */
  readonly hops: number
  readonly trust: IpSet | undefined
  readonly trustUnix: boolean
  readonly trustAll: boolean
}

const NAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ['loopback', ['127.0.0.0/8', '::1']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
  ['unix', []],
])

const EITHER = 'trust, or originUnreachable: true, not both'
const EXAMPLE = `trust: ['10.0.0.5/32'], or 'loopback', 'private', 'unix'`

/**
 * @throws {IpGuardError} `IPGUARD_TRUST_MISSING`, `IPGUARD_TRUST_INVALID`, `IPGUARD_CIDR_INVALID`,
 * `IPGUARD_OPTION_UNKNOWN` or `IPGUARD_OPTION_INVALID`.
 */
export function planClientIp(options: ClientIpOptions): ClientIpPlan {
  checkOptions(options, ['header', 'trust', 'hops', 'originUnreachable'], 'clientIp')
  const { trust, hops, originUnreachable = false } = options
  const header = checkHeader(options)
  const list = header === 'x-forwarded-for' || header === 'forwarded'
  if (hops !== undefined && (!list || !Number.isSafeInteger(hops) || hops < 1)) {
    throw invalidOption('clientIp.hops', hops, `a whole number from 1, and only with 'x-forwarded-for' or 'forwarded'`)
  }
  if (typeof originUnreachable !== 'boolean') {
    throw invalidOption('clientIp.originUnreachable', originUnreachable, EITHER)
  }
  if (originUnreachable && trust !== undefined) {
    throw trustInvalid('clientIp.trust', trust, EITHER)
  }
  if (header !== undefined && trust === undefined && !originUnreachable) {
    throw new IpGuardError(
      'IPGUARD_TRUST_MISSING',
      `clientIp reads ${describe(header)} and names no proxy that may set it. Write ${EXAMPLE}; or originUnreachable: true if nobody reaches this server past the proxy.`,
    )
  }
  const set = trust === undefined ? undefined : ipSet(checkTrust(trust))
  return {
    header,
    rule: list ? (hops ? 'hops' : 'rightmost-untrusted') : 'single',
    hops: hops ?? (list ? 0 : 1),
    trust: set?.size ? set : undefined,
    trustUnix: trust?.includes('unix') === true,
    trustAll: originUnreachable,
  }
}

function checkHeader(options: ClientIpOptions): string | undefined {
  const { header } = options
  const other = Object.entries(options).find(([, value]) => value !== undefined)
  if (other === undefined) return undefined
  // before lower-casing: a few letters outside ASCII have a lower case inside it
  if (typeof header === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(header)) return header.toLowerCase()
  const useless = header === undefined ? ` ("${other[0]}" is of no use alone)` : ''
  throw invalidOption('clientIp.header', header, `one header name, such as 'x-forwarded-for'${useless}`)
}

function checkTrust(trust: readonly TrustEntry[]): readonly string[] {
  if (!Array.isArray(trust) || trust.length === 0) throw trustInvalid('clientIp.trust', trust, EXAMPLE)
  return trust.flatMap((entry: unknown, i) => {
    const where = `clientIp.trust[${i}]`
    const text = typeof entry === 'string' ? entry : ''
    const named = NAMED.get(text)
    if (named !== undefined) return named
    if (text === entry && parsePrefix(text, where).length > 0) return [text]
    throw trustInvalid(where, entry, `${EXAMPLE}; a /0 trusts everybody to name the client`)
  })
}

function trustInvalid(option: string, received: unknown, expected: string): IpGuardError {
  return new IpGuardError('IPGUARD_TRUST_INVALID', `${option} is ${describe(received)}. Write ${expected}.`)
}
