import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '@ipguard/core'
import type { FeedCache, FeedWarning } from '../../src/feeds/index.ts'

export function sample(name: string): string {
  return readFileSync(join(import.meta.dirname, 'data', name), 'utf8')
}

/** So many public addresses, one a line. */
export function addresses(count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => {
    const n = i + from
    return `${20 + ((n >> 16) & 63)}.${(n >> 8) & 255}.${n & 255}.7\n`
  }).join('')
}

export interface HandClock extends Clock {
  advance(ms: number): void
  /** When the timers that are set will call, in ms from now. */
  timers(): readonly number[]
}

/** A clock whose timers run when time is set on. */
export function handClock(start = Date.UTC(2026, 7, 22, 12)): HandClock {
  let time = start
  const timers = new Set<{ readonly at: number; readonly call: () => void }>()
  return {
    now: () => time,
    after(ms, call) {
      const timer = { at: time + ms, call }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(ms) {
      const end = time + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)
        if (!next) break
        timers.delete(next)
        time = Math.max(time, next.at)
        next.call()
      }
      time = end
    },
    timers: () => [...timers].map(({ at }) => at - time),
  }
}

export interface MemoryCache extends FeedCache {
  bytes: Uint8Array | undefined
  saves: number
}

export function memoryCache(bytes?: Uint8Array): MemoryCache {
  const cache: MemoryCache = {
    bytes,
    saves: 0,
    load: () => cache.bytes,
    save(saved) {
      cache.bytes = saved.slice()
      cache.saves++
    },
  }
  return cache
}

export function collected(): { readonly warnings: FeedWarning[]; readonly onWarning: (warning: FeedWarning) => void } {
  const warnings: FeedWarning[] = []
  return { warnings, onWarning: (warning) => void warnings.push(warning) }
}
