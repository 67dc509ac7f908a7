import { IpGuardError } from '@ipguard/core'
import type { FeedSettings } from './feed-options.ts'
import type { FeedEvents, FeedFailed, FeedOutcome, FeedRefused, FeedStatus } from './feed-status.ts'
import { isRefusal } from './refusal.ts'
import { fetchUpdate, type Held, readCache, type Update, writeCache } from './update.ts'
import { createWarner } from './warner.ts'

/** What the timetable knows of a feed. */
export interface FeedState {
  readonly isStarted: boolean
  readonly isBusy: boolean
  readonly isClosed: boolean
  readonly nextAt: number | undefined
}

export interface Attempts {
  readonly held: () => Held | undefined
  /** Attempts in a row that brought nothing usable. */
  readonly failures: () => number
  /** Why the last one brought nothing. */
  readonly error: () => IpGuardError | undefined
  /** Takes the list of before from the cache, if there is one. */
  readonly fromCache: () => Promise<void>
  /** Asks the source. Never rejects; `settled` is called as soon as it is known what comes of it, which is before a new set is in the cache. */
  readonly fromSource: (
    signal: AbortSignal,
    force: boolean,
    settled: () => void,
  ) => Promise<FeedOutcome & { readonly type: keyof FeedEvents }>
  readonly status: (state: FeedState) => FeedStatus
  readonly on: <Name extends keyof FeedEvents>(name: Name, listener: (event: FeedEvents[Name]) => void) => () => void
}

/** Tries to get the list, tells how it went, and keeps what was got. */
export function createAttempts(settings: FeedSettings): Attempts {
  const { name, clock, staleAfter } = settings
  const listeners = new Map<keyof FeedEvents, Set<(event: never) => void>>()
  const warn = createWarner(settings)
  let held: Held | undefined
  let failures = 0
  let failed: { readonly error: IpGuardError; readonly at: number } | undefined

  const emit = <Name extends keyof FeedEvents>(type: Name, event: FeedEvents[Name]): void => {
    for (const listener of listeners.get(type) ?? []) {
      try {
        ;(listener as (event: FeedEvents[Name]) => void)(event) // added under this name
      } catch {
        warn.now('IPGUARD_LISTENER_FAILED', `A listener of "${type}" of feed ${name} threw.`)
      }
    }
  }

  /** Why the set in use is too old, or undefined. */
  const staleness = (): string | undefined => {
    const now = clock.now()
    if (!held) return undefined
    if (now - held.checkedAt > staleAfter) return `was last confirmed by its source ${days(now - held.checkedAt)} ago`
    const { sourceDate } = held
    return sourceDate !== undefined && now - sourceDate > staleAfter
      ? `is by its own date ${days(now - sourceDate)} old`
      : undefined
  }

  const told = <Outcome extends FeedEvents[keyof FeedEvents]>(outcome: Outcome): Outcome => {
    const stale = staleness()
    if (stale === undefined) warn.over('IPGUARD_FEED_STALE')
    else warn.once('IPGUARD_FEED_STALE', `The list of feed ${name} ${stale}. It stays in use.`)
    emit(outcome.type, outcome as never) // the event of this name
    return outcome
  }

  const take = (update: Held, from: 'source' | 'cache', started: number): FeedEvents['loaded'] => {
    held = update
    const { set, bad, special } = update
    const at = clock.now()
    return { type: 'loaded', feed: name, from, at, took: at - started, entries: set.size, bad: bad.count, special }
  }

  /** Takes down why nothing usable came. */
  const turnedDown = (cause: unknown, from: 'source' | 'cache', started: number): FeedRefused | FeedFailed => {
    const at = clock.now()
    const base = { feed: name, from, at, took: at - started }
    if (isRefusal(cause) || isDamage(cause)) {
      const reason = isRefusal(cause) ? cause.reason : 'damaged'
      return { ...base, type: 'refused', code: cause.code, reason, message: cause.message }
    }
    const message = cause instanceof IpGuardError ? cause.message : `Feed ${name} could not be read.`
    return { ...base, type: 'failed', code: 'IPGUARD_FEED_FAILED', message }
  }

  const save = async (update: Update): Promise<void> => {
    try {
      await writeCache(settings, update)
      warn.over('IPGUARD_SNAPSHOT_FAILED')
    } catch {
      warn.once(
        'IPGUARD_SNAPSHOT_FAILED',
        `The list of feed ${name} could not be saved: a restart has to do without it.`,
      )
    }
  }

  return {
    held: () => held,
    failures: () => failures,
    error: () => failed?.error,
    async fromCache() {
      const started = clock.now()
      try {
        const cached = await readCache(settings)
        if (cached) told(take(cached, 'cache', started))
      } catch (error) {
        const outcome = turnedDown(error, 'cache', started)
        warn.now('IPGUARD_SNAPSHOT_DAMAGED', `The cached list of feed ${name} is not used. ${outcome.message}`)
        failed = { error: asError(outcome, error), at: outcome.at }
        told(outcome)
      }
    },
    async fromSource(signal, force, settled) {
      const started = clock.now()
      try {
        const update = await fetchUpdate(settings, held, { signal, force })
        failures = 0
        failed = undefined
        warn.over('IPGUARD_FEED_FAILED')
        warn.over('IPGUARD_FEED_REFUSED')
        const at = clock.now()
        const loaded = update.isNew ? take(update.held, 'source', started) : undefined
        held = update.held
        settled()
        await save(update)
        return told(loaded ?? { type: 'unchanged', feed: name, from: 'source', at, took: at - started })
      } catch (error) {
        const outcome = turnedDown(error, 'source', started)
        failures++
        failed = { error: asError(outcome, error), at: outcome.at }
        settled()
        // Closed: nobody listens any more.
        if (signal.aborted) return outcome
        warn.once(
          outcome.code,
          `Feed ${name}: ${outcome.message} ${held ? 'The list of before stays in use.' : 'There is no list yet.'}`,
        )
        return told(outcome)
      }
    },
    status({ isStarted, isBusy, isClosed, nextAt }) {
      const state = isClosed
        ? 'closed'
        : held
          ? staleness() === undefined
            ? 'ready'
            : 'stale'
          : !isStarted
            ? 'idle'
            : isBusy
              ? 'loading'
              : 'empty-handed'
      return {
        name,
        state,
        entries: held?.set.size ?? 0,
        ...(held && {
          loadedAt: held.loadedAt,
          checkedAt: held.checkedAt,
          age: Math.max(0, clock.now() - held.checkedAt),
        }),
        ...(held?.sourceDate !== undefined && { sourceDate: held.sourceDate }),
        ...held?.validators,
        failures,
        ...(failed && { error: shownError(failed.error, failed.at) }),
        bad: held?.bad ?? { count: 0, sample: [] },
        special: held?.special ?? 0,
        ...(nextAt !== undefined && { nextAt }),
      }
    },
    on(type, listener) {
      const known = listeners.get(type) ?? new Set()
      listeners.set(type, known.add(listener))
      return () => void known.delete(listener)
    },
  }
}

function isDamage(error: unknown): error is IpGuardError {
  return error instanceof IpGuardError && error.code === 'IPGUARD_SNAPSHOT_DAMAGED'
}

/** What `ready` rejects with. Errors of others stay reachable as the cause; the message carries none of their text. */
function asError({ code, message }: FeedRefused | FeedFailed, cause: unknown): IpGuardError {
  if (!(cause instanceof IpGuardError)) return new IpGuardError(code, message, { cause })
  const { retryAfter } = cause
  return cause.code === code
    ? cause
    : new IpGuardError(code, message, { cause, ...(retryAfter !== undefined && { retryAfter }) })
}

function shownError(error: IpGuardError, at: number): NonNullable<FeedStatus['error']> {
  const { code, message } = error
  return { code, message, ...(isRefusal(error) && { reason: error.reason }), at }
}

function days(ms: number): string {
  return `${(ms / 86_400_000).toFixed(1)} days`
}
