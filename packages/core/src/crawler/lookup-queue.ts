/** How a look-up ended. `failed`: it could not be told. */
export type LookupEnd<T> = { readonly value: T } | { readonly failed: true }

export interface LookupQueueOptions {
  /** From the moment a look-up is added, waiting and every try included, in ms. */
  readonly timeout: number
  readonly after: (ms: number, call: () => void) => () => void
}

export interface LookupQueue<T> {
  readonly size: number
  has(ip: string): boolean
  /** False: there are too many, in all or for this client. */
  hasRoom(client: string): boolean
  /** Looks up in the background; resolves when it has ended, and never rejects. */
  add(
    ip: string,
    client: string,
    lookup: (signal: AbortSignal) => Promise<T>,
    onEnd: (end: LookupEnd<T>) => void,
  ): Promise<void>
}

/** All of these are own: far above what crawlers bring about, and small beside what a resolver bears. */
const MOST = 256
const MOST_OF_CLIENT = 8
const MOST_AT_ONCE = 32
const TRIES = 3
const PAUSE = 250

interface Job {
  readonly client: string
  readonly begin: () => void
}

/** Look-ups in the background: bounded in number and in time, as whoever sends requests can bring them about. */
export function createLookupQueue<T>({ timeout, after }: LookupQueueOptions): LookupQueue<T> {
  const jobs = new Map<string, Job>()
  const waiting = new Set<Job>()
  let running = 0

  function begin(): void {
    for (const job of waiting) {
      if (running >= MOST_AT_ONCE) return
      waiting.delete(job)
      running++
      job.begin()
    }
  }

  /** A resolver that is away for a moment is asked again, within the same time. */
  async function tries(lookup: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await lookup(signal)
      } catch (error) {
        if (attempt === TRIES || signal.aborted) throw error
      }
      await new Promise<void>((resolve) => void after(PAUSE * attempt, resolve))
      signal.throwIfAborted()
    }
  }

  return {
    get size() {
      return jobs.size
    },
    has: (ip) => jobs.has(ip),
    hasRoom(client) {
      if (jobs.size >= MOST) return false
      let mine = 0
      for (const job of jobs.values()) if (job.client === client) mine++
      return mine < MOST_OF_CLIENT
    },
    add(ip, client, lookup, onEnd) {
      return new Promise((resolve) => {
        const controller = new AbortController()
        let ended = false
        const end = (how: LookupEnd<T>): void => {
          if (ended) return
          ended = true
          cancel()
          jobs.delete(ip)
          if (!waiting.delete(job)) running--
          onEnd(how)
          resolve()
          // Ends what the resolver is still at, when it was late.
          controller.abort()
          begin()
        }
        const job: Job = {
          client,
          begin() {
            tries(lookup, controller.signal).then(
              (value) => end({ value }),
              () => end({ failed: true }),
            )
          },
        }
        const cancel = after(timeout, () => end({ failed: true }))
        jobs.set(ip, job)
        waiting.add(job)
        begin()
      })
    },
  }
}
