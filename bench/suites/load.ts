import { buildIpSet, type IpSet, ipSet } from '@ipguard/core'
import { someCidrs } from '../harness/lists.ts'
import { median, threadCpu } from '../harness/measure.ts'
import { atMost, number, OURS, type Result, type Table, times, type Verdict } from '../harness/result.ts'
import { parse4, parse6, words } from '../limit/parse.ts'

const LINES = 1_000_000
const ROUNDS = 5
const BATCH = 1_000

interface Loader {
  readonly name: string
  readonly load: (lines: readonly string[]) => IpSet | number | Promise<IpSet>
}

/** From 1,000,000 lines of text to a set that answers. */
export async function loadSuite(): Promise<Result> {
  const tables: Table[] = []
  const verdicts: Verdict[] = []
  for (const family of [4, 6] as const) {
    const lines = someCidrs(family, LINES)
    const loaders: Loader[] = [
      { name: `${OURS} ipSet`, load: ipSet },
      { name: `${OURS} buildIpSet`, load: (all) => buildIpSet(all) },
      { name: `${OURS} buildIpSet, batches`, load: (all) => buildIpSet(batches(all)) },
      { name: 'limit', load: family === 4 ? parseAndSort4 : parseAndSort6 },
    ]
    const spent = await timeLoaders(loaders, lines)
    const limit = median(spent.get('limit') ?? [])
    tables.push({
      title: `Loading 1,000,000 lines, v${family}`,
      columns: ['', 'median ms', 'best ms', 'x limit'],
      rows: loaders.map(({ name }) => {
        const samples = spent.get(name) ?? []
        return [name, number(median(samples) / 1e3), number(Math.min(...samples) / 1e3), times(median(samples) / limit)]
      }),
    })
    for (const { name } of loaders.slice(0, 2)) {
      verdicts.push(
        atMost(
          `loading 1M v${family} lines, ${name}, against the limit`,
          median(spent.get(name) ?? []) / limit,
          2.5,
          'x',
        ),
      )
    }
    const slices = await longestSlices(lines)
    tables.push({
      title: `Longest slice of buildIpSet, v${family}, ms of thread CPU`,
      columns: ['', ...slices.map((_, i) => `run ${i + 1}`)],
      rows: [[OURS, ...slices.map((slice) => number(slice / 1e3))]],
    })
    verdicts.push(atMost(`longest slice, v${family}, best of ${ROUNDS}`, Math.min(...slices) / 1e3, 20, ' ms'))
  }
  const notes = [
    'CPU of the thread. Limit: parse each line and sort the numbers in a typed array (first address and length in one double; IPv6: the first 64 bits); it answers no question yet.',
  ]
  return { title: 'Loading a list', notes, tables, verdicts }
}

async function timeLoaders(
  loaders: readonly Loader[],
  lines: readonly string[],
): Promise<ReadonlyMap<string, number[]>> {
  const spent = new Map(loaders.map(({ name }) => [name, [] as number[]]))
  // the first round warms up
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { name, load } of loaders) {
      globalThis.gc?.()
      const start = threadCpu()
      const made = await load(lines)
      const used = threadCpu() - start
      if ((typeof made === 'number' ? made : made.size) !== LINES) throw new Error(`${name} did not load every line.`)
      if (round > 0) spent.get(name)?.push(used)
    }
  }
  return spent
}

/** How long the event loop was held at most, run by run. */
async function longestSlices(lines: readonly string[]): Promise<number[]> {
  const longest: number[] = []
  for (let run = 0; run < ROUNDS; run++) {
    globalThis.gc?.()
    let start = threadCpu()
    let most = 0
    const note = (): void => {
      most = Math.max(most, threadCpu() - start)
    }
    const pause = async (): Promise<void> => {
      note()
      await new Promise<void>((resolve) => setImmediate(resolve))
      start = threadCpu()
    }
    await buildIpSet(lines, { pause })
    note()
    longest.push(most)
  }
  return longest
}

function* batches(lines: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < lines.length; from += BATCH) yield lines.slice(from, from + BATCH)
}

function parseAndSort4(lines: readonly string[]): number {
  const ranges = new Float64Array(lines.length)
  let count = 0
  for (const line of lines) {
    const end = parse4(line, 0, line.length)
    const length = lengthBehind(line, end, 32)
    const mask = -1 << (32 - length)
    ranges[count++] = (((words[0] ?? 0) & mask) >>> 0) * 64 + length
  }
  ranges.sort()
  return count
}

function parseAndSort6(lines: readonly string[]): number {
  // little-endian: the low word first
  const halves = new Int32Array(lines.length * 2)
  const lasts = new Int32Array(lines.length)
  let count = 0
  for (const line of lines) {
    const end = parse6(line, 0, line.length)
    const length = lengthBehind(line, end, 128)
    const second = words[1] ?? 0
    halves[2 * count] = second
    halves[2 * count + 1] = words[0] ?? 0
    lasts[count++] = length >= 64 ? second : second | (-1 >>> (length - 32))
  }
  new BigUint64Array(halves.buffer).sort()
  return count
}

function lengthBehind(line: string, end: number, whole: number): number {
  if (end === line.length) return whole
  let length = 0
  for (let i = end + 1; i < line.length; i++) length = length * 10 + line.charCodeAt(i) - 48
  return length
}
