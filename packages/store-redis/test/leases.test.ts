import { hitOf, keyOf, limiter, mostInAnyWindow, SUITE_START } from '@ipguard/conformance'
import type { Counter, Hit, HitReply, Store } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { type RedisServer, startRedis } from '@ipguard/tools'
import fc from 'fast-check'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const INSTANCES = 3
const LIMIT = 40
const LEASE = 3
const WINDOW = 10_000
const PART = WINDOW / 10
const KEY = keyOf('203.0.113.7')

let redis: RedisServer
let clients: ReturnType<typeof createClient>[]
beforeAll(async () => {
  redis = await startRedis()
  clients = Array.from({ length: INSTANCES }, () => createClient({ socket: { host: '127.0.0.1', port: redis.port } }))
  await Promise.all(clients.map((client) => client.connect()))
}, 300_000)
afterAll(async () => {
  for (const client of clients ?? []) client.destroy()
  await redis?.stop()
})

let made = 0

/** Stores of as many processes on an empty prefix of one Redis, by one clock that is set by hand. */
function instances(count = INSTANCES): { readonly stores: readonly Store[]; readonly clock: { time: number } } {
  const clock = { time: SUITE_START, now: () => clock.time }
  const prefix = `leases${++made}`
  return { clock, stores: clients.slice(0, count).map((client) => redisStore({ client, prefix, clock })) }
}

const ALL = { now: 0, commit: 'all' } as const

async function one(store: Store, hit: Hit): Promise<HitReply> {
  const [reply] = await store.hit([hit], ALL)
  return reply!
}

/** What Redis has counted, leases included. */
async function usedOf(store: Store, counter: Counter, key = KEY): Promise<number> {
  const [reply] = await store.hit([hitOf(counter, key, { cost: 0 })], { now: 0, commit: 'none' })
  return counter.largest - reply!.remaining
}

/** The most that all instances together can hold unused. */
function outstanding({ lease = 0 }: Counter): number {
  return INSTANCES * lease
}

const MOST_COST = 3

interface Step {
  /** ms that pass before it. */
  readonly wait: number
  /** By instance: the costs of what it is asked at once. */
  readonly costs: readonly (readonly number[])[]
}

const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 2 * PART }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 * WINDOW }) },
  ),
  costs: fc.array(fc.array(fc.integer({ min: 1, max: MOST_COST }), { maxLength: 4 }), {
    minLength: INSTANCES,
    maxLength: INSTANCES,
  }),
})

const schedule = fc.array(step, { minLength: 1, maxLength: 30 })

describe.each(['sliding-window', 'fixed-window'] as const)('leases of a %s', (algorithm) => {
  const counter = limiter({ limit: LIMIT, window: '10s', algorithm, lease: LEASE, name: 'leased' })
  const others = [{}, { lease: 2 }].map((more) =>
    limiter({ limit: 25, window: '10s', algorithm, name: 'other', ...more }),
  )
  const sliding = algorithm === 'sliding-window'
  /** Whether what was counted at `at` still counts at `time`. */
  const counts = (at: number, time: number): boolean =>
    sliding
      ? Math.floor(at / PART) + 10 >= Math.floor(time / PART)
      : Math.floor(at / WINDOW) === Math.floor(time / WINDOW)

  /** Runs a schedule; after each step everything is looked at that must hold. */
  async function run(steps: readonly Step[], counters: readonly Counter[]): Promise<void> {
    const { stores, clock } = instances()
    const admitted: number[] = []
    for (const { wait, costs } of steps) {
      clock.time += wait
      const replies = await Promise.all(
        stores.flatMap((store, i) =>
          (costs[i] ?? []).map(async (cost) => ({
            cost,
            replies: await store.hit(
              counters.map((each) => hitOf(each, KEY, { cost })),
              ALL,
            ),
          })),
        ),
      )
      for (const { cost, replies: each } of replies)
        if (each.every((reply) => reply.admitted)) for (let i = 0; i < cost; i++) admitted.push(clock.time)
      // What an instance gives back goes out before what it asks next.
      await Promise.all(stores.map((store) => usedOf(store, counter)))
      const counted = admitted.filter((at) => counts(at, clock.time)).length
      for (const each of counters) {
        const used = await usedOf(stores[0]!, each)
        // All that passed is counted; and what else is counted is what instances hold, each one lease.
        expect(used).toBeGreaterThanOrEqual(counted)
        expect(used).toBeLessThanOrEqual(counted + outstanding(each))
      }
      const tight = counters.some((each) => counted + MOST_COST + outstanding(each) > each.largest)
      if (!tight)
        for (const { replies: each } of replies) expect(each.map((reply) => reply.admitted)).not.toContain(false)
    }
    const least = Math.min(...counters.map(({ largest }) => largest))
    if (sliding) expect(mostInAnyWindow(admitted, WINDOW)).toBeLessThanOrEqual(least)
    else
      for (const at of admitted) expect(admitted.filter((each) => counts(each, at)).length).toBeLessThanOrEqual(least)
  }

  it('never let pass more than the limit, and refuse early by a lease of each instance at most', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, (steps) => run(steps, [counter])),
      { numRuns: 100 },
    )
  })

  it('are all or nothing together with another limit', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, fc.constantFrom(...others), fc.boolean(), (steps, other, first) =>
        run(steps, first ? [counter, other] : [other, counter]),
      ),
      { numRuns: 100 },
    )
  })

  it('cost a lone instance nothing, one request after another', async () => {
    const { stores } = instances(1)
    const answers: boolean[] = []
    for (let i = 0; i <= LIMIT; i++) answers.push((await one(stores[0]!, hitOf(counter, KEY))).admitted)
    expect(answers).toEqual([...Array.from({ length: LIMIT }, () => true), false])
  })

  it('cost a lone instance nothing when a client comes now and then', async () => {
    const { stores, clock } = instances(1)
    for (let i = 0; i < LIMIT; i++) {
      expect((await one(stores[0]!, hitOf(counter, KEY))).admitted).toBe(true)
      clock.time += WINDOW / LIMIT - 1
    }
    expect((await one(stores[0]!, hitOf(counter, KEY))).admitted).toBe(false)
  })

  it('answer without a trip, as long as the part lasts in which they were taken', async () => {
    const { stores, clock } = instances(1)
    const hit = hitOf(counter, KEY)
    await stores[0]!.hit([hit], ALL)
    clock.time += (sliding ? PART : WINDOW) - 1
    expect(stores[0]!.hit([hit], ALL)).toEqual([expect.objectContaining({ admitted: true, remaining: LIMIT - 2 })])
    clock.time += 1
    expect(stores[0]!.hit([hit], ALL)).toBeInstanceOf(Promise)
  })

  it('give back a request that they paid for', async () => {
    const { stores } = instances(2)
    const hit = hitOf(counter, KEY)
    await one(stores[0]!, hit)
    const [paid] = stores[0]!.hit([hit], ALL) as readonly HitReply[] // from the lease: at once
    expect(await usedOf(stores[1]!, counter)).toBe(1 + LEASE)
    await one(stores[0]!, { ...hit, cost: -1, slot: paid!.slot })
    expect(await usedOf(stores[1]!, counter)).toBe(LEASE)
  })
})

describe('a lease', () => {
  const options = { limit: LIMIT, window: '10s', lease: LEASE, name: 'leased' } as const
  const counter = limiter(options)

  it.each(['sliding-window', 'fixed-window'] as const)(
    'leaves what later hits of its check cost on the same counter: %s',
    async (algorithm) => {
      const { stores } = instances(2)
      const [store, other] = stores as readonly [Store, Store]
      const shared = { limit: 1_000, window: '10s', algorithm, name: 'shared' } as const
      const leasing = limiter({ ...shared, lease: 100 })
      const counts = hitOf(limiter(shared), KEY)
      await one(other, { ...counts, cost: 850 })
      const hits = [hitOf(leasing, KEY), hitOf(leasing, KEY, { cost: 99 })]
      expect(await store.hit(hits, ALL)).toMatchObject([{ admitted: true }, { admitted: true }])
      expect(await usedOf(other, counts.counter)).toBe(1_000)
      // The lease is the 50 that nobody else had asked for.
      const paid = Array.from({ length: 51 }, () => store.hit([hitOf(leasing, KEY)], ALL))
      expect(paid.filter((replies) => !(replies instanceof Promise))).toHaveLength(50)
      expect((await paid.at(-1)!)[0]!.admitted).toBe(false)
      expect(await usedOf(other, counts.counter)).toBe(1_000)
    },
  )

  it('is not used when its part has passed before the answer came', async () => {
    const { clock } = instances(1)
    let open: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    let answered: () => void = () => {}
    const inRedis = new Promise<void>((resolve) => {
      answered = resolve
    })
    const client = new Proxy(clients[0]!, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (name !== 'sendCommand') return typeof value === 'function' ? value.bind(target) : value
        return async (...args: Parameters<typeof target.sendCommand>) => {
          const reply = await target.sendCommand(...args)
          answered()
          await gate
          return reply
        }
      },
    })
    const store = redisStore({ client, prefix: `leases${++made}`, clock: { now: () => clock.time } })
    const first = one(store, hitOf(counter, KEY))
    await inRedis
    clock.time += PART
    open()
    expect((await first).admitted).toBe(true)
    expect(store.hit([hitOf(counter, KEY)], ALL)).toBeInstanceOf(Promise)
  })

  it('is dropped with the ban of its client', async () => {
    const { stores } = instances(1)
    const laddered = limiter({ ...options, name: 'laddered', ladder: [{ name: 'out', ban: '1h' }] })
    const hit = hitOf(laddered, KEY)
    await one(stores[0]!, hit)
    expect(stores[0]!.hit([hit], ALL)).not.toBeInstanceOf(Promise)
    expect((await one(stores[0]!, { ...hit, cost: 0, strike: true })).banned).toBeDefined()
    expect(await one(stores[0]!, hit)).toMatchObject({ admitted: false, ban: { cidr: '203.0.113.7/32' } })
  })

  it('leaves room for others when more clients come than can have one', async () => {
    const { stores } = instances(1)
    const [store] = stores as readonly [Store]
    const keys = Array.from({ length: 50_010 }, (_, i) => keyOf(`198.18.${i >> 8}.${i & 255}`))
    for (let i = 0; i < keys.length; i += 1_000)
      await Promise.all(keys.slice(i, i + 1_000).map((key) => one(store, hitOf(counter, key))))
    const used = (key: typeof KEY): Promise<number> => usedOf(store, counter, key)
    expect(await Promise.all(keys.slice(0, 11).map(used))).toEqual([...Array.from({ length: 10 }, () => 1), 1 + LEASE])
    expect(await used(keys.at(-1)!)).toBe(1 + LEASE)
  })
})
