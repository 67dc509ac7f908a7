/** One way to do a suite's job. `run` does it `count` times and answers something made of every result, so that nothing is optimised away. */
export interface Contender {
  readonly name: string
  readonly run: (count: number) => number | Promise<number>
}

/** Nanoseconds of thread CPU per operation. */
export interface Timing {
  readonly name: string
  readonly median: number
  readonly min: number
}

export interface MeasureOptions {
  /** @default 7 */
  readonly rounds?: number
  /** Milliseconds of one contender in one round. @default 30 */
  readonly slice?: number
}

/** What everything made so far: a global of the process, which no optimiser can drop. */
const sink = new Float64Array(new SharedArrayBuffer(8))

/**
 * Runs every contender in every round, so that whatever else the machine does falls on all of them alike.
 *
 * CPU time of this thread, not wall time: others on the machine do not count. Nor does the garbage collection that V8
 * does on other threads, which is in favour of whoever allocates more.
 */
export async function measure(contenders: readonly Contender[], options: MeasureOptions = {}): Promise<Timing[]> {
  const { rounds = 7, slice = 30 } = options
  const counts: number[] = []
  for (const contender of contenders) counts.push(await warmUp(contender, slice))
  const samples = contenders.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const at = (i + round) % contenders.length
      const count = counts[at] ?? 1
      const contender = contenders[at]
      if (contender) samples[at]?.push(((await timed(contender, count)) * 1e3) / count)
    }
  }
  return contenders.map(({ name }, i) => ({
    name,
    median: median(samples[i] ?? []),
    min: Math.min(...(samples[i] ?? [])),
  }))
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

const cell = new Int32Array(new SharedArrayBuffer(4))

/**
 * Microseconds of CPU that this thread has used.
 *
 * The kernel adds up a running thread's time at its ticks, 4 ms apart, and whenever the thread sleeps: without the nap a slice of 20 ms is
 * measured as 16 to 24.
 */
export function threadCpu(): number {
  Atomics.wait(cell, 0, 0, 0.01)
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** How many times fit into a slice, once the code is compiled. */
async function warmUp(contender: Contender, slice: number): Promise<number> {
  let count = 64
  let spent = 0
  for (let total = 0; total < slice * 3_000; total += spent) {
    spent = await timed(contender, count)
    if (spent < slice * 500) count *= 2
  }
  return Math.max(1, Math.round((count * slice * 1e3) / Math.max(1, spent)))
}

async function timed(contender: Contender, count: number): Promise<number> {
  const start = threadCpu()
  const made = contender.run(count)
  sink[0] = (sink[0] ?? 0) + (typeof made === 'number' ? made : await made)
  return threadCpu() - start
}
