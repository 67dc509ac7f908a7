import type { Clock } from '../src/guard/clock.ts'
import { START } from './test-guard.ts'

export interface HandClock extends Clock {
  /** Sets the time on, and runs the timers that are due. */
  advance(ms: number): void
  /** Timers that are set. */
  pending(): number
}

/** A clock whose timers run when time is set. */
export function handClock(): HandClock {
  let time = START
  const timers = new Map<number, { at: number; call: () => void }>()
  let id = 0
  return {
    now: () => time,
    after(ms, call) {
      const mine = ++id
      timers.set(mine, { at: time + ms, call })
      return () => void timers.delete(mine)
    },
    advance(ms) {
      time += ms
      for (const [key, timer] of timers) {
        if (timer.at > time) continue
        timers.delete(key)
        timer.call()
      }
    },
    pending: () => timers.size,
  }
}

/** Lets everything run that waits for nothing but its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
