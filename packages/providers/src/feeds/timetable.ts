import { IpGuardError, schedule } from '@ipguard/core'
import type { Attempts, FeedState } from './attempts.ts'
import type { FeedSettings } from './feed-options.ts'
import type { FeedOutcome } from './feed-status.ts'
import { closedError } from './open-source.ts'

export interface Timetable {
  readonly start: () => void
  readonly ready: (signal?: AbortSignal) => Promise<void>
  readonly refresh: (force: boolean) => Promise<FeedOutcome>
  readonly state: () => FeedState
  readonly close: () => Promise<void>
}

/** The first wait after a failure; each further one is twice as long, up to `refresh`. */
const FIRST_RETRY = 30_000
/** Timers cannot wait for longer than 24 days. */
const LONGEST_WAIT = 12 * 3_600_000

/** Decides when the source is asked. One attempt runs at a time. */
export function createTimetable({ name, clock, refresh, minInterval }: FeedSettings, attempts: Attempts): Timetable {
  const ending = new AbortController()
  let isStarted = false
  /** When the source was last asked, here or by the process that wrote the cache. */
  let askedAt = Number.NEGATIVE_INFINITY
  let nextAt: number | undefined
  let cancel: (() => void) | undefined
  let running: Promise<FeedOutcome | undefined> | undefined
  /** It is known what comes of the attempt that runs: it has no more than to save the list. */
  let isSettled = false
  const waiting = new Set<(error?: Error) => void>()

  /** Those who wait for a set have one, or will not get one from this attempt. */
  const settleWaiting = (): void => {
    const error = attempts.held() ? undefined : (attempts.error() ?? closedError(name))
    for (const done of waiting) done(error)
  }

  const planNext = (outcome: FeedOutcome): void => {
    if (ending.signal.aborted) return
    const isGood = outcome.type === 'loaded' || outcome.type === 'unchanged'
    const backoff = Math.min(refresh, FIRST_RETRY * 2 ** (attempts.failures() - 1))
    // Many processes that began together, or met the same failure, do not come again together.
    const wait = isGood ? refresh * (0.95 + 0.1 * Math.random()) : backoff * (0.5 + 0.5 * Math.random())
    const told = isGood ? 0 : (attempts.error()?.retryAfter ?? 0)
    planAt(Math.max(clock.now() + Math.max(wait, told), askedAt + minInterval))
  }

  const planAt = (at: number): void => {
    cancel?.()
    nextAt = at
    const wait = (): void => {
      const left = at - clock.now()
      if (left <= 0) void run(false)
      else cancel = schedule(clock, Math.min(left, LONGEST_WAIT), wait)
    }
    wait()
  }

  const run = (force: boolean): Promise<FeedOutcome> => {
    cancel?.()
    nextAt = undefined
    askedAt = clock.now()
    isSettled = false
    const settled = (): void => {
      isSettled = true
      settleWaiting()
    }
    const attempt = attempts.fromSource(ending.signal, force, settled).then((outcome) => {
      running = undefined
      planNext(outcome)
      settleWaiting()
      return outcome
    })
    running = attempt
    return attempt
  }

  /** From the cache, and from the source unless what the cache has is young enough. */
  const begin = (): void => {
    isStarted = true
    running = attempts.fromCache().then(() => {
      running = undefined
      const checkedAt = attempts.held()?.checkedAt
      if (checkedAt !== undefined) settleWaiting()
      if (ending.signal.aborted) return undefined
      const now = clock.now()
      // A time to come is of a clock that was wrong.
      if (checkedAt !== undefined && checkedAt <= now) {
        askedAt = checkedAt
        planAt(checkedAt + refresh * (0.95 + 0.1 * Math.random()))
      } else void run(false)
      return undefined
    })
  }

  const start = (): void => {
    if (!isStarted && !ending.signal.aborted) begin()
  }

  const skipped = (until: number): FeedOutcome => ({ type: 'skipped', feed: name, until })

  const ask = async (force: boolean): Promise<FeedOutcome> => {
    start()
    if (!force && running && !isSettled) {
      // After the cache has been read comes the source.
      return (await running) ?? ask(force)
    }
    while (running) await running
    if (ending.signal.aborted) return skipped(Number.POSITIVE_INFINITY)
    const until = askedAt + minInterval
    return clock.now() < until ? skipped(until) : run(force)
  }

  return {
    start,
    refresh: ask,
    async ready(signal) {
      if (attempts.held()) return
      if (signal?.aborted) throw asError(signal.reason)
      if (ending.signal.aborted) throw closedError(name)
      const set = new Promise<void>((resolve, reject) => {
        const done = (error?: Error): void => {
          signal?.removeEventListener('abort', onAbort)
          waiting.delete(done)
          if (error) reject(error)
          else resolve()
        }
        const onAbort = (): void => done(asError(signal?.reason))
        signal?.addEventListener('abort', onAbort)
        waiting.add(done)
      })
      const hasBegun = isStarted
      start()
      if (hasBegun && !running) void ask(false).then(settleWaiting)
      return set
    },
    state: () => ({ isStarted, isBusy: running !== undefined, isClosed: ending.signal.aborted, nextAt }),
    async close() {
      ending.abort()
      cancel?.()
      nextAt = undefined
      while (running) await running
      settleWaiting()
    },
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new IpGuardError('IPGUARD_FEED_FAILED', 'It was not waited for any longer.')
}
