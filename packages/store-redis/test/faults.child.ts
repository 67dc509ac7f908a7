// Run by faults-row.ts: a process with a guard under a steady load, which reports what every decision took. Whoever started it does the
// harm to Redis meanwhile. All times are epoch ms of the monotonic clock, which processes of one machine share.
import { setTimeout as pause } from 'node:timers/promises'
import { createGuard, type Decision, rateLimit } from '@ipguard/core'
import { redisStore } from '@ipguard/store-redis'
import { watchedClient } from './faults-client.ts'
import {
  BANNED,
  DEADLINE,
  FLAG,
  GREEDY,
  type LoadOptions,
  type LoadOrder,
  type LoadReport,
  STRUCK,
} from './faults-report.ts'

const options = JSON.parse(process.argv[2] ?? '') as LoadOptions // from faults-row.ts
/** Checks per second of ordinary clients, and of each of the others. */
const RATE = 400
const OTHERS = 50
/** Ordinary clients: each comes every 5 seconds, far below the limit. */
const CLIENTS = 2000
const LIMIT = 30
/** Room for a minute of checks, made before memory is looked at. */
const MOST = 60 * (RATE + 3 * OTHERS)

const samples = { at: new Float64Array(MOST), took: new Float64Array(MOST), flags: new Uint8Array(MOST), count: 0 }
const timers = { at: new Float64Array(MOST), took: new Float64Array(MOST), count: 0 }
const events: LoadReport['events'][number][] = []
const readies: number[] = []
const troubles: string[] = []
process.on('unhandledRejection', (reason) => troubles.push(`unhandledRejection: ${String(reason)}`))
process.on('uncaughtException', (error) => troubles.push(`uncaughtException: ${String(error)}`))

const time = (): number => performance.timeOrigin + performance.now()
const { client, peak } = watchedClient(options.client, options.place, () => readies.push(time()))
const guard = createGuard({
  store: redisStore({ client, prefix: options.prefix }),
  policies: [rateLimit({ limit: LIMIT, window: '60s', ladder: [{ name: 'graylist', ban: '24h' }] })],
})
guard.on('degraded', ({ code }) => events.push({ name: 'degraded', at: time(), code }))
guard.on('recovered', () => events.push({ name: 'recovered', at: time() }))

const headers = { get: (): undefined => undefined }

function check(peer: string, who: number): void {
  asked++
  const began = performance.now()
  const decision = guard.check({ method: 'GET', url: '/', headers }, { peer })
  if (decision instanceof Promise) void decision.then((made) => note(made, who, began))
  else note(decision, who, began)
}

function note({ action, reason, degraded }: Decision, who: number, began: number): void {
  const i = samples.count
  if (who === 0) calm = degraded ? 0 : calm + 1
  if (who === FLAG.greedy) isBanned = reason === 'banned'
  if (i === MOST) return
  samples.at[i] = performance.timeOrigin + began
  samples.took[i] = performance.now() - began
  const without = degraded?.includes('entries') ? FLAG.entries : 0
  samples.flags[i] = who | (action === 'allow' ? FLAG.admitted : 0) | (degraded ? FLAG.degraded : 0) | without
  samples.count++
}

/** What the timer of a decision costs on this machine at this moment, without any decision. */
function bareTimer(): void {
  const began = performance.now()
  setTimeout(() => {
    const i = timers.count
    if (i === MOST) return
    timers.at[i] = performance.timeOrigin + began
    timers.took[i] = performance.now() - began
    timers.count++
  }, DEADLINE)
}

/** Decisions of ordinary clients in a row that were made with Redis. */
let calm = 0
let asked = 0
let started = performance.now()
let ordinary = 0
let others = 0
let isGreedy = false
let isBanned = false

/** All checks that are due: a turn that was late is made up for, as requests would be that have arrived meanwhile. */
function load(): void {
  const due = performance.now() - started
  while (ordinary < (due * RATE) / 1000) {
    const number = ordinary++ % CLIENTS
    bareTimer()
    check(`20.0.${number >> 8}.${number & 255}`, 0)
  }
  while (others < (due * OTHERS) / 1000) {
    others++
    check(BANNED, FLAG.banned)
    if (options.early) check(STRUCK, FLAG.banned)
    if (isGreedy) check(GREEDY, FLAG.greedy)
  }
}

function heap(): number {
  // Twice: what the first one finalises, the second one frees.
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

async function until(condition: () => boolean, limit: number): Promise<boolean> {
  const end = time() + limit
  while (!condition()) {
    if (time() > end) return false
    await pause(10)
  }
  return true
}

// Whoever started it is gone.
process.on('disconnect', () => process.exit())

function giveUp(why: string): never {
  console.error(why, troubles)
  process.exit(1)
}

/** A cluster's client is ready with its first node, and the one that has the entries may be another. */
async function ban(): Promise<void> {
  for (const end = time() + 10_000; ; await pause(10)) {
    try {
      await guard.ban(BANNED, { for: '24h', force: true })
      return
    } catch (error) {
      if (time() > end) giveUp(`Nobody could be banned: ${String(error)}`)
    }
  }
}

if (options.early) {
  if (!(await until(() => readies.length > 0, 10_000))) giveUp('The client did not connect.')
  await ban()
  // The other way to a ban: over the limit.
  for (let i = 0; i <= LIMIT; i++) await guard.check({ method: 'GET', url: '/', headers }, { peer: STRUCK })
}
started = performance.now()
const beat = setInterval(load, 4)
// Warm: compiled, connected, and nothing degraded, unless there is no Redis at all.
const isWarm = (): boolean => (options.early ? ordinary > CLIENTS / 2 && calm > RATE / 2 : ordinary > 200)
if (!(await until(isWarm, 10_000))) giveUp('There was no load.')
const before = heap()
peak()
process.send?.('up')

process.on('message', (order: LoadOrder) => {
  if (order.name === 'fault') isGreedy = true
  if (order.name === 'settle') void settle(order.ended)
})

/** Waits until nothing is degraded any more and the greedy client is banned, and reports. */
async function settle(ended: number): Promise<void> {
  const isCalm = (): boolean => isBanned && calm > RATE / 2 && time() - Math.max(ended, readies.at(-1) ?? 0) > 700
  const settled = await until(isCalm, 12_000)
  clearInterval(beat)
  await until(() => timers.count >= ordinary && samples.count >= asked, 1000)
  const report: LoadReport = {
    settled,
    undecided: asked - samples.count,
    samples: cut(samples),
    flags: samples.flags.slice(0, samples.count),
    timers: cut(timers),
    events,
    readies,
    troubles,
    heap: { before, after: heap() },
    peak: peak(),
  }
  process.send?.(report)
}

function cut({ at, took, count }: typeof timers): LoadReport['timers'] {
  return { at: at.slice(0, count), took: took.slice(0, count) }
}
