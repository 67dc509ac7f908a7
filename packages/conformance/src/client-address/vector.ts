/** The `clientIp` options of a vector; the same shape as core's, so that this data imports nothing. */
export interface VectorOptions {
  readonly header?: string
  readonly trust?: readonly string[]
  readonly hops?: number
  readonly originUnreachable?: boolean
}

/** What must come out; `null` is "no client". */
export interface VectorClient {
  readonly ip: string
  readonly key?: string
  readonly rule?: 'socket' | 'rightmost-untrusted' | 'hops' | 'single' | 'all-trusted'
}

/** One case of "who is the client of this request", as plain data. */
export interface ClientAddressVector {
  readonly name: string
  readonly options: VectorOptions
  /** The address of the connection; `'unix'` for a unix-domain socket; absent when it is not known. */
  readonly peer?: string
  /** Header lines in the order of arrival; a name may repeat. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly expect: VectorClient | null
  readonly ipv6Prefix?: number
  /** As under `onlyAllow`: a trusted peer must send the header. */
  readonly requireHeader?: true
  /** Whether it can be sent over a real socket from 127.0.0.1: the peer is that, and HTTP carries the values as they are. */
  readonly wire: boolean
}

/** What the rows of a group share. */
export interface VectorGroup {
  readonly options: VectorOptions
  /** @default '127.0.0.1' */
  readonly peer?: string | null
  /** The header of values that are given as text. @default options.header */
  readonly header?: string
  readonly ipv6Prefix?: number
  readonly requireHeader?: true
  /** @default true for the default peer */
  readonly wire?: false
}

/** Name; one line, several lines, or lines with their own names; the client or its `ip`; overrides. */
export type VectorRow = readonly [
  name: string,
  headers: string | readonly string[] | Readonly<Record<string, string>>,
  expect: string | VectorClient | null,
  overrides?: Partial<VectorGroup>,
]

/** Rows of a table as vectors; each name starts with the group's. */
export function vectors(group: string, shared: VectorGroup, rows: readonly VectorRow[]): ClientAddressVector[] {
  return rows.map(([name, headers, expect, overrides]) => {
    const all = { peer: '127.0.0.1', ...shared, ...overrides }
    return {
      name: `${group}: ${name}`,
      options: all.options,
      ...(all.peer === null ? {} : { peer: all.peer }),
      headers: lines(headers, all.header ?? all.options.header ?? 'x-forwarded-for'),
      expect: typeof expect === 'string' ? { ip: expect } : expect,
      ...(all.ipv6Prefix === undefined ? {} : { ipv6Prefix: all.ipv6Prefix }),
      ...(all.requireHeader === undefined ? {} : { requireHeader: all.requireHeader }),
      wire: all.peer === '127.0.0.1' && all.wire !== false && all.requireHeader === undefined,
    }
  })
}

function lines(headers: VectorRow[1], name: string): (readonly [string, string])[] {
  if (typeof headers === 'string') return [[name, headers]]
  return isList(headers) ? headers.map((value) => [name, value] as const) : Object.entries(headers)
}

function isList(headers: VectorRow[1]): headers is readonly string[] {
  return Array.isArray(headers)
}
