import {
  type Category,
  type Clock,
  checkOptions,
  type Duration,
  IpGuardError,
  invalidOption,
  type Provider,
  parseDuration,
  systemClock,
  type Verdict,
} from '@ipguard/core'
import { checkScores } from './flag-score.ts'
import { type CommonOptions, checkCommonOptions } from './http-provider-options.ts'
import { type CompiledListing, compileListing, type Listing } from './listing.ts'
import { createLoading, createMmdbFile, type Source } from './mmdb-file.ts'
import { type Database, type MmdbReader, openBytes, openReader } from './mmdb-open.ts'
import { readingOf } from './mmdb-read.ts'
import type { Fields } from './read-json.ts'

export type { Listing } from './listing.ts'
export type { MmdbReader } from './mmdb-open.ts'

/** The options of `mmdb`: a file, and what its records mean. */
export interface MmdbOptions extends Pick<CommonOptions, 'name' | 'weight'> {
  /** The path of a file, which is loaded anew when it changes. Needs Node, Bun or Deno. */
  readonly file?: string
  /** The bytes of a file. */
  readonly data?: Uint8Array
  /** An open database of mmdb-lib or maxmind, which you keep up to date. */
  readonly reader?: MmdbReader
  /** The score of each kind of anonymizer, for Anonymous IP and Anonymous Plus. @default as all providers of flags */
  readonly scores?: Partial<Record<Category, number>>
  /** What addresses of a network stand for, by its number, for GeoLite2 ASN and GeoIP2 ISP: `{ 64500: { score: 25, categories: ['hosting'] } }`. */
  readonly asns?: Readonly<Record<number, Listing>>
  /** Reads any other database: a verdict for a record, or undefined. `ip` is canonical. */
  readonly read?: (record: Fields, ip: string) => Verdict | undefined
  /** How often it is looked whether the file has changed, when somebody asks. @default '60s' */
  readonly every?: Duration
  /** Called when the file can no longer be read or opened; the one before stays in use. */
  readonly onWarning?: (warning: IpGuardError) => void
  /** @default the system's */
  readonly clock?: Clock
}

/** How the database is. */
export interface MmdbStatus {
  readonly loaded: boolean
  /** Such as `GeoIP2-Anonymous-IP`. */
  readonly type?: string
  /** Epoch ms of when the database in use was built. */
  readonly builtAt?: number
  /** Why the latest load failed; the one before is in use then. */
  readonly lastError?: IpGuardError
}

/** A provider over a database file, with how it stands. */
export interface MmdbProvider extends Provider {
  /** Loads before the first request; rejects when that failed. */
  start(): Promise<void>
  /** Which database is in use, when it was built, and why the latest load failed. */
  status(): MmdbStatus
}

/**
 * A database file in MaxMind's format as a source of reputation, answered in the request itself: Anonymous IP, Anonymous Plus, GeoLite2 ASN, or
 * any file with `read`.
 *
 * Needs the package mmdb-lib (`npm install mmdb-lib`), unless you pass an open `reader`. The first look-up starts the loading and could not
 * tell; call `start()` first. A file that changed is opened and tried before it takes the old one's place; a damaged one never does.
 *
 * MaxMind's files are yours to get (30 downloads a day); GeoLite asks for attribution, and for no use of a release 30 days after a newer one.
 * IPv6 too; an address of a family that the file does not have is not listed.
 *
 * @example
 * const anonymous = mmdb({ name: 'anonymous-ip', file: '/var/lib/GeoIP/GeoIP2-Anonymous-IP.mmdb' })
 * await anonymous.start()
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function mmdb(options: MmdbOptions): MmdbProvider {
  checkOptions(options, OPTIONS, 'mmdb')
  const { name, weight } = checkCommonOptions('mmdb', options, {})
  const source = sourceOf(options)
  return {
    name,
    ...(weight !== undefined && { weight }),
    local: true,
    lookup(ip) {
      const database = source.current()
      if (database) return database.lookup(ip)
      throw new IpGuardError(
        source.lastError?.code ?? 'IPGUARD_PROVIDER_FAILED',
        `The database of ${name} has not been loaded yet. ${source.lastError?.message ?? 'It is on its way.'}`,
      )
    },
    start: async () => source.start(),
    status() {
      const { type, builtAt } = source.peek() ?? {}
      const { lastError } = source
      return {
        loaded: source.peek() !== undefined,
        ...(type !== undefined && { type }),
        ...(builtAt !== undefined && { builtAt }),
        ...(lastError && { lastError }),
      }
    },
  }
}

const OPTIONS = ['name', 'weight', 'file', 'data', 'reader', 'scores', 'asns', 'read', 'every', 'onWarning', 'clock']

function sourceOf(options: MmdbOptions): Source<Database> {
  const { file, data, reader, scores, read, every = '60s', onWarning, clock = systemClock() } = options
  checkScores(scores, 'mmdb')
  const asns = options.asns && compileAsns(options.asns)
  if (read !== undefined && typeof read !== 'function') throw invalidOption('mmdb.read', read, 'a function')
  const reading = (type: string): NonNullable<MmdbOptions['read']> => read ?? readingOf(type, { scores, asns })
  const ms = parseDuration(every, 'mmdb.every')
  if ([file, data, reader].filter((each) => each !== undefined).length !== 1) {
    throw invalidOption('mmdb', 'without a database, or with several', 'one of file, data and reader')
  }
  if (reader !== undefined) {
    if (typeof reader?.get !== 'function') throw invalidOption('mmdb.reader', reader, 'an open database of mmdb-lib')
    const database = openReader(reader, reading)
    return { current: () => database, peek: () => database, start: async () => {}, lastError: undefined }
  }
  if (data !== undefined) {
    if (!(data instanceof Uint8Array)) throw invalidOption('mmdb.data', data, 'the bytes of a file, a Uint8Array')
    return createLoading(async () => openBytes(data, reading))
  }
  if (typeof file !== 'string' || file === '') throw invalidOption('mmdb.file', file, 'the path of a file')
  return createMmdbFile({ file, every: ms, clock, open: async (bytes) => openBytes(bytes, reading), onWarning })
}

function compileAsns(asns: Readonly<Record<number, Listing>>): ReadonlyMap<number, CompiledListing> {
  return new Map(
    Object.entries(asns).map(([asn, listing]) => {
      if (!/^\d{1,10}$/.test(asn)) throw invalidOption('mmdb.asns', asn, 'numbers of networks: { 64500: 40 }')
      return [Number(asn), compileListing(listing, `mmdb.asns[${asn}]`)] as const
    }),
  )
}
