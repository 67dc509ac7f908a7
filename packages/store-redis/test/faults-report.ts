import type { FaultClient, Place } from './faults-client.ts'

/** What a process under load is told when it is started. */
export interface LoadOptions {
  readonly client: FaultClient
  readonly place: Place
  readonly prefix: string
  /** Redis is there first: two clients are banned before the fault. */
  readonly early: boolean
}

/** What it is told later: the fault begins; it has ended. */
export type LoadOrder = { readonly name: 'fault' } | { readonly name: 'settle'; readonly ended: number }

interface Times {
  /** Epoch ms, and how many ms from there on. */
  readonly at: Float64Array
  readonly took: Float64Array
}

/** What it has seen. */
export interface LoadReport {
  /** Decisions were made with Redis again at the end. */
  readonly settled: boolean
  /** Checks that had no decision a second after the last one. */
  readonly undecided: number
  readonly samples: Times
  /** One to each sample: who it was and what was decided. */
  readonly flags: Uint8Array
  readonly timers: Times
  readonly events: readonly {
    readonly name: 'degraded' | 'recovered'
    readonly at: number
    readonly code?: string
  }[]
  /** When the client said that it is connected. */
  readonly readies: readonly number[]
  readonly troubles: readonly string[]
  readonly heap: { readonly before: number; readonly after: number }
  readonly peak: number
}

/** A decision's deadline by default, in ms. */
export const DEADLINE = 50
/** Banned by hand before the fault; banned by a ladder before it; goes over the limit while it lasts. */
export const BANNED = '20.1.0.1'
export const STRUCK = '20.1.0.2'
export const GREEDY = '20.1.0.3'

export const FLAG = { banned: 1, greedy: 2, admitted: 4, degraded: 8, entries: 16 } as const

const RUN = 20

/** What came of one client's decisions in one fault. */
export interface Figures {
  /** Decisions from the beginning of the fault on, of ordinary clients. */
  readonly decisions: number
  /** Without Redis. */
  readonly degraded: number
  /** ms that 99.9 % of them took at most, and of bare timers with the same deadline, in the same process at the same time. */
  readonly took: number
  readonly timer: number
  /** ms from the client's own `ready`, or from the end of the fault when that was later, until decisions are made with Redis: `RUN` in a row. */
  readonly recovery: number
  /** Bytes that the heap has grown. */
  readonly growth: number
  /** Commands without an answer at any time, at most. */
  readonly peak: number
}

export function figuresOf(report: LoadReport, began: number, ended: number): Figures {
  const { samples, flags, timers } = report
  const mine = [...flags.keys()].filter((i) => !(flags[i]! & (FLAG.banned | FLAG.greedy)) && samples.at[i]! >= began)
  const without = mine.filter((i) => flags[i]! & FLAG.degraded)
  const from = Math.max(ended, ...report.readies.filter((at) => at >= began))
  const then = mine.filter((i) => samples.at[i]! >= from)
  const back = then.find((_, j) => then.slice(j, j + RUN).every((i) => !(flags[i]! & FLAG.degraded)))
  const late = [...timers.at.keys()].filter((i) => timers.at[i]! >= began)
  return {
    decisions: mine.length,
    degraded: without.length,
    took: p999(mine.map((i) => samples.took[i]!)),
    timer: p999(late.map((i) => timers.took[i]!)),
    recovery: without.length === 0 || back === undefined ? 0 : samples.at[back]! - from,
    growth: report.heap.after - report.heap.before,
    peak: report.peak,
  }
}

function p999(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.ceil(sorted.length * 0.999) - 1] ?? Number.NaN
}
