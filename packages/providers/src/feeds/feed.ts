import type { IpSet, LiveList } from '@ipguard/core'
import { createAttempts } from './attempts.ts'
import { checkFeedOptions, type FeedOptions } from './feed-options.ts'
import type { FeedEvents, FeedOutcome, FeedStatus } from './feed-status.ts'
import { createTimetable } from './timetable.ts'

/** A list that is kept up to date from a URL, a file or a transport of your own. */
export interface Feed extends LiveList {
  readonly name: string
  /** The set in use, swapped as a whole; undefined before the first load. Reading it starts the feed. */
  readonly current: IpSet | undefined
  /** Loads the list, from the cache first, and keeps it up to date from then on. Does nothing the second time. */
  start(): void
  /**
   * Resolves when there is a set. Rejects when the attempt under way, or a new one, ends without one (the feed goes on trying), or with the
   * signal's reason.
   */
  ready(signal?: AbortSignal): Promise<void>
  /**
   * Asks the source now and answers what came of it; never rejects. `force` takes the list although its size or date differs too much from
   * those of the one in use.
   */
  refresh(options?: { readonly force?: boolean }): Promise<FeedOutcome>
  /** How it stands: entries, age, and what the last refresh came to. */
  status(): FeedStatus
  /** Calls the listener after each attempt of that kind; answers the function that stops it. */
  on<Name extends keyof FeedEvents>(name: Name, listener: (event: FeedEvents[Name]) => void): () => void
  /** Asks no more; the set in use stays. Resolves when nothing of it runs any more. */
  close(): Promise<void>
}

/**
 * A list of addresses that others keep, always current and never worse than the one before: for `deny`, `allow`, `onlyAllow` and `except`.
 *
 * Nothing runs until its set is first asked for. It is then loaded from the cache, if there is one, and from the source, and asked for anew
 * every `refresh`, with what the source calls the version, so that an unchanged list costs nothing. A new list is built beside the old one, in
 * slices of some milliseconds, and takes its place as a whole. What is not to be believed is refused: nothing, HTML, a truncated list, too many bad
 * lines, blocks too broad, a list that has grown or shrunk too much or is older than the one in use; the old one then stays, and the event and the status say why.
 * Special ranges (private, loopback and so on) are taken out of every list. Until the first load the list matches nothing, and decisions are `degraded`.
 *
 * @example
 * const ours = feed({ name: 'ours', url: 'https://lists.example/deny.txt', refresh: '1h' })
 * createGuard({ policies: [deny(ours)] })
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID`, `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_DURATION_INVALID`
 */
export function feed(options: FeedOptions): Feed {
  return createFeed(options, 'feed')
}

/** `owner` names the factory in errors. */
export function createFeed(options: FeedOptions, owner: string): Feed {
  const settings = checkFeedOptions(options, owner)
  const attempts = createAttempts(settings)
  const timetable = createTimetable(settings, attempts)
  return {
    name: settings.name,
    get current() {
      timetable.start()
      return attempts.held()?.set
    },
    start: timetable.start,
    ready: timetable.ready,
    refresh: (how) => timetable.refresh(how?.force === true),
    status: () => attempts.status(timetable.state()),
    on: attempts.on,
    close: timetable.close,
  }
}
