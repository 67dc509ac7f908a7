import { median } from './measure.ts'

/** One way to check a client over the network. Resolves when it is decided. */
export interface Checker {
  readonly name: string
  readonly check: (client: number) => Promise<unknown>
}

/** What one contender did in one slice, or the medians over its slices. Latencies and CPU of the process in us. */
export interface Slice {
  /** Checks per second. */
  readonly ops: number
  readonly p50: number
  readonly p99: number
  /** For each check. */
  readonly cpu: number
}

export interface Figures extends Slice {
  readonly name: string
  readonly bestOps: number
  readonly bestCpu: number
  /** One for each round. */
  readonly slices: readonly Slice[]
}

/** How one stands to another: the median of what it is in each round, as rounds differ more than contenders do within one. */
export function ratioOf(one: Figures, other: Figures, field: keyof Slice): number {
  return median(one.slices.map((slice, round) => slice[field] / (other.slices[round]?.[field] ?? Number.NaN)))
}

export interface ConcurrentOptions {
  /** Checks under way at any time. */
  readonly concurrency: number
  readonly rounds: number
  /** Milliseconds of one contender in one round. */
  readonly slice: number
  /** Milliseconds before each slice that do not count, after the turns of the others. */
  readonly lead: number
  /** The clients, by number, in the order in which they come. */
  readonly order: Int32Array
}

/** Room for the latencies of one slice; what comes beyond is counted, but its latency is not looked at. */
const latencies = new Float64Array(2 ** 21)

/** Every client once. */
export async function checkAll({ check }: Checker, order: Int32Array, concurrency: number): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < order.length) await check(order[next++] as number) // inside
  }
  await Promise.all(Array.from({ length: concurrency }, work))
}

/** Runs every contender in every round, each time in another place of it, so that what else the machine does falls on all alike. */
export async function measureConcurrent(checkers: readonly Checker[], options: ConcurrentOptions): Promise<Figures[]> {
  const all = checkers.map((checker) => ({ checker, visit: { next: 0 }, slices: [] as Slice[] }))
  for (let round = 0; round < options.rounds; round++) {
    for (let i = 0; i < all.length; i++) {
      const { checker, visit, slices } = all[(i + round) % all.length] as (typeof all)[number] // inside
      await sliceOf(checker, visit, options, options.lead)
      // what was left behind so far is not this slice's to collect
      globalThis.gc?.({ type: 'minor' })
      slices.push(await sliceOf(checker, visit, options, options.slice))
    }
  }
  return all.map(({ checker: { name }, slices }) => {
    const of = (field: keyof Slice): number[] => slices.map((slice) => slice[field])
    return {
      name,
      ops: median(of('ops')),
      p50: median(of('p50')),
      p99: median(of('p99')),
      cpu: median(of('cpu')),
      bestOps: Math.max(...of('ops')),
      bestCpu: Math.min(...of('cpu')),
      slices,
    }
  })
}

async function sliceOf(
  { check }: Checker,
  visit: { next: number },
  { concurrency, order }: ConcurrentOptions,
  milliseconds: number,
): Promise<Slice> {
  let done = 0
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  const end = start + milliseconds
  const work = async (): Promise<void> => {
    for (let asked = performance.now(); asked < end; ) {
      const client = order[visit.next] as number // inside
      if (++visit.next === order.length) visit.next = 0
      await check(client)
      const answered = performance.now()
      if (done < latencies.length) latencies[done] = answered - asked
      done++
      asked = answered
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const elapsed = performance.now() - start
  const { user, system } = process.cpuUsage(cpuBefore)
  const sorted = latencies.subarray(0, Math.min(done, latencies.length)).sort()
  const at = (share: number): number => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN) * 1e3
  return { ops: (done * 1e3) / elapsed, p50: at(0.5), p99: at(0.99), cpu: (user + system) / done }
}
