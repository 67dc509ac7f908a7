import { createRequire } from 'node:module'
import { type Counter, type CounterKey, parseAddress, type Store } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { someAddresses } from '../harness/lists.ts'
import { type Contender, measure, type Timing } from '../harness/measure.ts'
import { heapBytes } from '../harness/memory.ts'
import { randomOf, shuffled } from '../harness/random.ts'
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
import { bareGcra } from '../limit/gcra.ts'

/** Never reached, so that every hit is an admitted one; the same number of bytes as a limit of 60. */
const LIMIT = 60_000
const WINDOW = 60_000
const SIZES = [10_000, 1_000_000] as const
const FASTIFY = '@fastify/rate-limit store'
const FLEXIBLE = 'rate-limiter-flexible consume'

/** Keys in the order in which they come, as text and parsed; `next` is where a contender stands. */
interface Visits {
  texts: readonly string[]
  words: Int32Array
  next: number
}

interface LocalStore {
  incr(
    ip: string,
    callback: (error: Error | null, state: { readonly current: number }) => void,
    timeWindow: number,
    max: number,
  ): void
}

/** Not exported by its package; pinned, so the path holds. */
const require = createRequire(import.meta.url)
const createLocalStore = require('@fastify/rate-limit/store/LocalStore.js') as new (
  continueExceeding: boolean,
  exponentialBackoff: boolean,
  cache: number,
) => LocalStore // its constructor, as its source has it

/** A count per client in memory, all keys known already. */
export async function limiterSuite(): Promise<Result> {
  const verdicts: Verdict[] = []
  const contests = []
  for (const size of SIZES) {
    const { timings, bytes } = await contest(size)
    contests.push({ timings, bytes })
    const ours = medianOf(timings, OURS)
    verdicts.push(
      atLeast(
        `limiter, ${size.toLocaleString('en')} keys, against @fastify/rate-limit's store`,
        medianOf(timings, FASTIFY) / ours,
        4,
      ),
      atLeast(
        `limiter, ${size.toLocaleString('en')} keys, against rate-limiter-flexible`,
        medianOf(timings, FLEXIBLE) / ours,
        8,
      ),
    )
    if (size === 1_000_000)
      verdicts.push(atMost('limiter, bytes per key at 1M', (bytes.get(OURS) ?? Number.NaN) / size, 64, ' B'))
  }
  const notes = [
    'memoryStore().hit with the address parsed and the time passed in; an answer object is made each time. Caps lie above the number of keys. The peers get the same addresses as text and read the clock themselves: they take no time from outside.',
    'Limit: GCRA over one word in typed arrays: no answer but yes or no, no expiry, no cap, no IPv6.',
  ]
  return {
    title: 'Limiting in memory',
    notes,
    tables: [timeTable(contests.map(({ timings }) => timings)), byteTable(contests.map(({ bytes }) => bytes))],
    verdicts,
  }
}

async function contest(
  size: number,
): Promise<{ readonly timings: readonly Timing[]; readonly bytes: ReadonlyMap<string, number> }> {
  // powers of two above the number of keys
  const cap = 2 ** Math.ceil(Math.log2(size + 1))
  const texts = [...new Set(someAddresses(4, size + size / 50, 5))].slice(0, size)
  const first = visitsOf(texts)
  const later = visitsOf(shuffled(texts, randomOf(11)))
  const bytes = new Map<string, number>()
  /** Every key comes once, and then in another order: else memory would be read in the order in which it was written. */
  const filled = async (name: string, make: (keys: Visits) => Contender['run']): Promise<Contender> => {
    const before = heapBytes()
    const keys = { ...first }
    const run = make(keys)
    await run(size)
    Object.assign(keys, later)
    bytes.set(name, heapBytes() - before)
    return { name, run }
  }
  const contenders = [
    await filled(OURS, (keys) => ours(keys, cap)),
    await filled(FASTIFY, (keys) => {
      const store = new createLocalStore(false, false, cap)
      return (count) => {
        let sum = 0
        const add = (_error: Error | null, state: { readonly current: number }): void => {
          sum += state.current
        }
        for (let i = 0; i < count; i++) {
          store.incr(keys.texts[keys.next] as string, add, WINDOW * 100, LIMIT) // inside, here and below
          if (++keys.next === size) keys.next = 0
        }
        return sum
      }
    }),
    await filled(FLEXIBLE, (keys) => {
      const limiter = new RateLimiterMemory({ points: 1e9, duration: (WINDOW * 100) / 1000 })
      return async (count) => {
        let sum = 0
        for (let i = 0; i < count; i++) {
          sum += (await limiter.consume(keys.texts[keys.next] as string)).consumedPoints
          if (++keys.next === size) keys.next = 0
        }
        return sum
      }
    }),
    await filled('limit', (keys) => {
      const gcra = bareGcra(size, LIMIT, WINDOW)
      const clock = steadyClock()
      return (count) => {
        let sum = 0
        for (let i = 0; i < count; i++) {
          if (gcra.hit(keys.words[keys.next] as number, clock())) sum++
          if (++keys.next === size) keys.next = 0
        }
        return sum
      }
    }),
  ]
  return { timings: await measure(contenders, { rounds: 7, slice: size > 100_000 ? 100 : 25 }), bytes }
}

function ours(keys: Visits, maxKeys: number): Contender['run'] {
  const store: Store = memoryStore({ maxKeys })
  const counter: Counter = {
    id: `live "bench" sliding-window ${WINDOW}`,
    policy: 'bench',
    algorithm: 'sliding-window',
    window: WINDOW,
    shadow: false,
    largest: LIMIT,
    banScope: 'ban',
  }
  const clock = steadyClock()
  // one hit for all, so that it is the store that is measured and not the making of hits
  const key = { kind: 4, length: 32, a: 0, b: 0, c: 0, d: 0, text: '' } as {
    -readonly [K in keyof CounterKey]: CounterKey[K]
  } // written to below
  const hits = [{ counter, key, limit: LIMIT, cost: 1 }]
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      key.a = keys.words[keys.next] as number // inside, both
      key.text = keys.texts[keys.next] as string
      const replies = store.hit(hits, { now: clock(), commit: 'all' })
      if (replies instanceof Promise || replies[0]?.admitted !== true)
        throw new Error('A hit was not admitted at once.')
      sum += replies[0].remaining
      if (++keys.next === keys.words.length) keys.next = 0
    }
    return sum
  }
}

function visitsOf(texts: readonly string[]): Visits {
  return { texts, words: Int32Array.from(texts, (text) => parseAddress(text)?.a ?? 0), next: 0 }
}

/** 64 hits to the millisecond, so that windows pass during the run. */
function steadyClock(): () => number {
  let hits = 0
  return () => 1_750_000_000_000 + (hits++ >>> 6)
}

function timeTable(contests: readonly (readonly Timing[])[]): Table {
  return {
    title: 'One hit, ns (x ours)',
    columns: ['', ...SIZES.map((size) => `${size.toLocaleString('en')} keys`)],
    rows: (contests[0] ?? []).map(({ name }) => [
      name,
      ...contests.map(
        (timings) => `${number(medianOf(timings, name))} (${times(medianOf(timings, name) / medianOf(timings, OURS))})`,
      ),
    ]),
  }
}

function byteTable(contests: readonly ReadonlyMap<string, number>[]): Table {
  return {
    title: 'Bytes per key',
    columns: ['', ...SIZES.map((size) => `${size.toLocaleString('en')} keys`)],
    rows: [...(contests[0]?.keys() ?? [])].map((name) => [
      name,
      ...contests.map((bytes, i) => number((bytes.get(name) ?? Number.NaN) / (SIZES[i] ?? 1))),
    ]),
  }
}
