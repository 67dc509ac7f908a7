import type { Clock } from '@ipguard/core'

/** Time that stands still until it is set on. */
export interface HandClock extends Required<Clock> {
  /** Epoch ms; runs on the way what is due, in its order. */
  moveTo(time: number): void
}

export function handClock(start: number): HandClock {
  let now = start
  const timers = new Set<{ readonly at: number; readonly call: () => void }>()
  return {
    now: () => now,
    after(ms, call) {
      const timer = { at: now + ms, call }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    moveTo(time) {
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= time).toSorted((a, b) => a.at - b.at)
        if (!next) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.call()
      }
      now = time
    },
  }
}
