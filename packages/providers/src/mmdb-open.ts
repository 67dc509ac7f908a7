import { IpGuardError, type Verdict } from '@ipguard/core'
import { type Fields, optionalObject } from './read-json.ts'
import { oneLine } from './verdict-of.ts'

/** An open database, as mmdb-lib and maxmind make it. */
export interface MmdbReader {
  get(ip: string): unknown
  readonly metadata?: {
    readonly databaseType?: string
    readonly ipVersion?: number
    readonly buildEpoch?: Date | number
  }
}

/** A database that was opened and tried. */
export interface Database {
  readonly type: string
  /** Epoch ms. */
  readonly builtAt: number | undefined
  /** @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when a record cannot be read. */
  lookup(ip: string): Verdict | undefined
}

/** How records of that type of database are read; throws when they cannot be. */
export type Reading = (type: string) => (record: Fields, ip: string) => Verdict | undefined

/**
 * Opens a file's bytes with mmdb-lib.
 *
 * @throws {IpGuardError} (as a rejection) `IPGUARD_PROVIDER_FAILED` when the package is not installed; `IPGUARD_PROVIDER_ANSWER` when it is no
 * whole database, or none that can be read.
 */
export async function openBytes(bytes: Uint8Array, reading: Reading): Promise<Database> {
  const Reader = await importReader()
  // It wants Node's own kind of array, over the same memory; not every runtime has that as a global.
  const { Buffer } = await import('node:buffer')
  let reader: MmdbReader
  try {
    reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch (cause) {
    throw damaged('It cannot be opened', cause)
  }
  return openReader(reader, reading)
}

/** @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when addresses of every part cannot be looked up. */
export function openReader(reader: MmdbReader, reading: Reading): Database {
  const { databaseType, ipVersion = 6, buildEpoch } = reader.metadata ?? {}
  const type = oneLine(databaseType) ?? ''
  const read = reading(type)
  const database: Database = {
    type,
    builtAt: buildEpoch === undefined ? undefined : Number(buildEpoch),
    lookup(ip) {
      // Readers differ in what they answer for a family that the file does not have.
      if (ipVersion === 4 && ip.includes(':')) return undefined
      try {
        const record = optionalObject(reader.get(ip))
        for (const _ in record) return read(record, ip)
        return undefined
      } catch (cause) {
        throw damaged('A record cannot be read', cause)
      }
    },
  }
  for (const ip of TRIED) database.lookup(ip)
  return database
}

/** Addresses all over both families: a file with a hole has it in one part. */
const TRIED: readonly string[] = Array.from({ length: 128 }, (_, i) => [
  `${i * 2}.${(i * 37) % 256}.1.1`,
  `${(0x2000 + i * 64).toString(16)}:${(i * 509).toString(16)}::1`,
]).flat()

type ReaderClass = new (bytes: Uint8Array) => MmdbReader

async function importReader(): Promise<ReaderClass> {
  try {
    const { Reader } = await import('mmdb-lib')
    return Reader as unknown as ReaderClass // of its type only the Buffer is another, and that is what it is given
  } catch (cause) {
    throw new IpGuardError(
      'IPGUARD_PROVIDER_FAILED',
      'The package mmdb-lib is not installed. Install it (npm install mmdb-lib), or give mmdb an open database as `reader`.',
      { cause },
    )
  }
}

function damaged(what: string, cause: unknown): IpGuardError {
  if (cause instanceof IpGuardError) return cause
  return new IpGuardError('IPGUARD_PROVIDER_ANSWER', `${what}: the database is damaged, or no MaxMind DB.`, { cause })
}
