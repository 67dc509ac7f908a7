import type { EntryChange } from '@ipguard/core'
import { type Connection, runScript, type Subscriber } from './connection.ts'
import { CHANGES } from './entry-scripts.ts'
import type { Keys } from './keys.ts'

/** Where a copy stands in the log of changes. */
interface Position {
  readonly epoch: string
  readonly number: number
  readonly nonce: string
}

/** Tells listeners of every change in the registry, whoever made it. */
export interface EntryFeed {
  watch(listener: (change: EntryChange) => void): () => void
  /** Resolves when changes from now on are heard, if anybody listens. */
  started(): Promise<void>
  /** Something has changed: looks at once. */
  look(): void
  /** Resolves when all that is in the log now has been told, or cannot be asked for. */
  catchUp(): Promise<void>
  /** How often Redis came back without what it held. */
  losses(): number
  close(): void
}

export interface EntryFeedOptions {
  readonly connection: Connection
  readonly keys: Keys
  readonly subscriber: Subscriber | undefined
  /** Called at every look, for what waits for Redis to be back. */
  readonly onLook: () => void
  /** Called when Redis came back without what it held. */
  readonly onLost: () => void
}

type Message = readonly [id: string, fields: readonly string[]]

/** How often the log is asked, in ms: without a subscriber; and with one, in case it is deaf without knowing. */
const POLL = 250
const SLOW_POLL = 500
const PAGE = 200
/** A look that has no answer after this many ms may be lost: the next one does not wait for it. At most so many are open. */
const PATIENCE = 1000
const MOST_OPEN = 4
/** After so many ms it never will have one: clients lose commands when they connect anew at a bad moment. */
const LOST = 30_000

/**
 * Redis holds a log of the last changes with a number each, and every process asks for those after the last one that it knows. A message
 * that is lost, a connection that is made anew, a process that comes late: the next look brings what was missed. When the log does not
 * reach back so far, or is not the one that was known, listeners are told to load anew.
 */
export function createEntryFeed({ connection, keys, subscriber, onLook, onLost }: EntryFeedOptions): EntryFeed {
  const listeners = new Set<(change: EntryChange) => void>()
  const { log, meta } = keys.registry
  let position: Position | undefined
  let first: Promise<void> | undefined
  /** Those who wait for a place in the log. */
  const waiting = new Set<() => void>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let open = 0
  let latest = 0
  let again = false
  let subscribed = false
  let losses = 0

  function tell(change: EntryChange): void {
    if (change.again === 'lost') {
      losses++
      onLost()
    }
    for (const listener of listeners) listener(change)
  }

  /** Answers the number of the last change in the log. */
  async function ask(): Promise<number> {
    const since = position
    const reply = await runScript(
      connection,
      CHANGES,
      [log, meta],
      [crypto.randomUUID(), since ? String(since.number) : '', String(PAGE)],
    )
    const [epoch, last, nonce, messages = []] = reply as [string, number | string, string, (readonly Message[])?] // as the script says
    // ioredis answers a text where it is made with `stringNumbers`.
    const number = Number(last)
    // Another look was faster.
    if (since !== position) return number
    if (!since) {
      position = { epoch, number, nonce }
      for (const go of waiting) go()
      waiting.clear()
      return number
    }
    if (epoch !== since.epoch || number < since.number || (number === since.number && nonce !== since.nonce)) {
      position = { epoch, number, nonce }
      tell({ again: 'lost' })
      return number
    }
    const fresh = since.number === 0 ? messages : messages.slice(1)
    if (number === since.number) return number
    const known = messages[0]
    const follows = since.number === 0 ? known?.[0] === '1-0' : known?.[0] === `${since.number}-0`
    if (!follows || (since.number > 0 && known && field(known, 'n') !== since.nonce)) {
      position = { epoch, number, nonce }
      tell({ again: follows ? 'lost' : 'gap' })
      return number
    }
    for (const message of fresh) {
      position = { epoch, number: Number.parseInt(message[0], 10), nonce: field(message, 'n') }
      tell(JSON.parse(field(message, 'c')) as EntryChange) // only the scripts write there
    }
    if (position && position.number < number) again = true
    return number
  }

  /** Counts one that is under way, until it has ended or is given up. */
  function opened(): () => void {
    open++
    const close = (): void => {
      if (timeout) open--
      clearTimeout(timeout)
      timeout = undefined
    }
    let timeout: ReturnType<typeof setTimeout> | undefined = setTimeout(close, LOST)
    timeout.unref()
    return close
  }

  async function look(): Promise<void> {
    const close = opened()
    latest = performance.now()
    again = false
    try {
      onLook()
      if (subscriber && !subscribed) {
        subscribed = true
        // Deaf until it works: the slow poll hears what it does not, and tries again.
        subscriber
          .subscribe(keys.channel, () => lookNow())
          .catch(() => {
            subscribed = false
          })
      }
      await ask()
    } finally {
      close()
      if (listeners.size > 0) {
        if (again) lookNow()
        else schedule()
      }
    }
  }

  function quietly(): void {
    // What fails now is asked for again at the next look; hits and loads tell of a Redis that is away.
    look().catch(() => {})
  }

  function lookNow(): void {
    again = true
    if (open === 0 && listeners.size > 0) quietly()
  }

  function schedule(): void {
    clearTimeout(timer)
    timer = setTimeout(
      () => {
        if (open === 0 || (open < MOST_OPEN && performance.now() - latest > PATIENCE)) quietly()
        schedule()
      },
      subscriber && subscribed ? SLOW_POLL : POLL,
    )
    timer.unref()
  }

  return {
    watch(listener) {
      listeners.add(listener)
      if (listeners.size === 1) {
        position = undefined
        first = look()
        first.catch(() => {})
        schedule()
      }
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) clearTimeout(timer)
      }
    },
    async started() {
      if (listeners.size === 0 || position) return
      // A client that is still connecting may lose the first look: then the next one does.
      let go = (): void => {}
      const placed = new Promise<void>((resolve) => {
        go = resolve
        waiting.add(go)
      })
      const looked = async (): Promise<void> => {
        await first?.catch(() => {})
        if (position) return
        first = look()
        await first
      }
      try {
        await Promise.race([placed, looked()])
      } finally {
        waiting.delete(go)
      }
    },
    look: lookNow,
    losses: () => losses,
    async catchUp() {
      try {
        let last = Number.POSITIVE_INFINITY
        while (listeners.size > 0 && position && position.number < last) last = await ask()
      } catch {
        // The next look brings it.
      }
    },
    close() {
      listeners.clear()
      clearTimeout(timer)
      if (subscribed) subscriber?.unsubscribe(keys.channel).catch(() => {})
    },
  }
}

function field([, fields]: Message, name: string): string {
  return fields[fields.indexOf(name) + 1] ?? ''
}
