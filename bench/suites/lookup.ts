import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { BlockList } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ipSet } from '@ipguard/core'
import { open } from 'maxmind'
import { Reader, type Response } from 'mmdb-lib'
import { type Family, someCidrs, someQueries } from '../harness/lists.ts'
import { type Contender, measure, type Timing } from '../harness/measure.ts'
import { heapOf, residentOf } from '../harness/memory.ts'
import { writeMmdb } from '../harness/mmdb.ts'
import {
  atLeast,
  atMost,
  medianOf,
  number,
  OURS,
  type Result,
  type Table,
  times,
  type Verdict,
} from '../harness/result.ts'
import { limitSet4, limitSet6 } from '../limit/set.ts'

/** The largest first: resident memory that an earlier one gave back would hide some of its own. */
const SIZES = [1_000_000, 100_000, 10_000] as const
const MASK = 65_535
const PROMISED = { 4: { times: 5, bytes: 12 }, 6: { times: 2, bytes: 32 } } as const

interface Contest {
  readonly timings: readonly Timing[]
  readonly bytes: ReadonlyMap<string, number>
}

/** Is this text in the list? 90 % are not. */
export async function lookupSuite(family: Family): Promise<Result> {
  const verdicts: Verdict[] = []
  const contests: Contest[] = []
  for (const size of SIZES) {
    const { timings, bytes } = await contest(family, size)
    contests.push({ timings, bytes })
    if (size === 100_000) continue
    const ratio = medianOf(timings, 'maxmind get') / medianOf(timings, OURS)
    verdicts.push(
      atLeast(
        `v${family} look-up from text, ${size.toLocaleString('en')} entries, against maxmind`,
        ratio,
        PROMISED[family].times,
      ),
    )
    if (size === 1_000_000) {
      verdicts.push(
        atMost(
          `v${family} bytes per entry at 1M`,
          (bytes.get(OURS) ?? Number.NaN) / size,
          PROMISED[family].bytes,
          ' B',
        ),
      )
    }
  }
  const notes = [
    'Texts in, 65,536 different ones, 90 % on no list. Set<string> holds the texts of the entries and finds exact ones only.',
    'Bytes: what is left on the heap and in buffers after a collection; node BlockList keeps its own out of sight, so there it is resident memory. Limit: sorted words behind a 16-bit index (v4) or a hash of the first word (v6).',
  ]
  return {
    title: `Looking an IPv${family} address up in a set`,
    notes,
    tables: [timeTable(family, contests), byteTable(family, contests)],
    verdicts,
  }
}

async function contest(family: Family, size: number): Promise<Contest> {
  const type = `ipv${family}` as const
  const cidrs = someCidrs(family, size)
  const native = residentOf(() => blockList(cidrs, family))
  const { made: set, bytes: ourBytes } = heapOf(() => ipSet(cidrs))
  const queries = someQueries(family, cidrs, set, MASK + 1)
  const limit = heapOf(() => (family === 4 ? limitSet4(cidrs) : limitSet6(cidrs)))
  const exact = heapOf(() => new Set(cidrs.map((cidr) => Buffer.from(cidr.replace(/\/.*/, '')).toString('latin1'))))
  const database = writeMmdb(cidrs, family)
  const cached = await openCached(database)
  const plain = new Reader<Response>(database)
  checkAgreement(queries, {
    ours: (text) => set.has(text),
    limit: (text) => limit.made.has(text),
    native: (text) => native.made.check(text, type),
    mmdb: (text) => plain.get(text) !== null,
  })
  // a loop of its own for each, or the call in it would be slower for all
  const contenders: Contender[] = [
    {
      name: OURS,
      run(count) {
        let found = 0
        for (let i = 0; i < count; i++) if (set.has(queries[i & MASK] as string)) found++ // masked, here and below
        return found
      },
    },
    {
      name: 'maxmind get',
      run(count) {
        let found = 0
        for (let i = 0; i < count; i++) if (cached.get(queries[i & MASK] as string) !== null) found++
        return found
      },
    },
    {
      name: 'mmdb-lib get',
      run(count) {
        let found = 0
        for (let i = 0; i < count; i++) if (plain.get(queries[i & MASK] as string) !== null) found++
        return found
      },
    },
    {
      name: 'node BlockList',
      run(count) {
        let found = 0
        for (let i = 0; i < count; i++) if (native.made.check(queries[i & MASK] as string, type)) found++
        return found
      },
    },
    {
      name: 'Set<string>, exact only',
      run(count) {
        let found = 0
        for (let i = 0; i < count; i++) if (exact.made.has(queries[i & MASK] as string)) found++
        return found
      },
    },
    {
      name: 'limit',
      run(count) {
        let found = 0
        for (let i = 0; i < count; i++) if (limit.made.has(queries[i & MASK] as string)) found++
        return found
      },
    },
  ]
  return {
    timings: await measure(contenders, { rounds: 7, slice: 20 }),
    bytes: new Map([
      [OURS, ourBytes],
      ['maxmind get', database.length],
      ['mmdb-lib get', database.length],
      // smaller ones fit into what the process has already
      ['node BlockList', size === 1_000_000 ? native.bytes : Number.NaN],
      ['Set<string>, exact only', exact.bytes],
      ['limit', limit.made.bytes],
    ]),
  }
}

function blockList(cidrs: readonly string[], family: Family): BlockList {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', length] = cidr.split('/')
    list.addSubnet(address, length === undefined ? (family === 4 ? 32 : 128) : Number(length), `ipv${family}`)
  }
  return list
}

/** maxmind reads a file, and puts a cache of 10,000 values before mmdb-lib. */
async function openCached(database: Buffer): Promise<Reader<Response>> {
  const folder = mkdtempSync(join(tmpdir(), 'ipguard-bench-'))
  const path = join(folder, 'list.mmdb')
  writeFileSync(path, database)
  const reader = await open<Response>(path)
  rmSync(folder, { recursive: true })
  return reader
}

/** A contender that answers something else measures something else. */
function checkAgreement(
  queries: readonly string[],
  contenders: Readonly<Record<string, (text: string) => boolean>>,
): void {
  const [first, ...others] = Object.entries(contenders)
  for (const text of queries.slice(0, 4_000)) {
    for (const [name, has] of others) {
      if (has(text) !== first?.[1](text)) throw new Error(`${name} and ${first?.[0]} do not agree about ${text}.`)
    }
  }
}

function timeTable(family: Family, contests: readonly Contest[]): Table {
  const names = contests[0]?.timings.map(({ name }) => name) ?? []
  return {
    title: `Look-up from text, v${family}, ns (x ours)`,
    columns: ['', ...SIZES.map((size) => size.toLocaleString('en'))],
    rows: names.map((name) => [
      name,
      ...contests.map(
        ({ timings }) =>
          `${number(medianOf(timings, name))} (${times(medianOf(timings, name) / medianOf(timings, OURS))})`,
      ),
    ]),
  }
}

function byteTable(family: Family, contests: readonly Contest[]): Table {
  const names = [...(contests[0]?.bytes.keys() ?? [])]
  return {
    title: `Bytes per entry, v${family}`,
    columns: ['', ...SIZES.map((size) => size.toLocaleString('en'))],
    rows: names.map((name) => [
      name,
      ...contests.map(({ bytes }, i) => number((bytes.get(name) ?? Number.NaN) / (SIZES[i] ?? 1))),
    ]),
  }
}
