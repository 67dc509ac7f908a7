import { type Clock, IpGuardError } from '@ipguard/core'

/** Something that is loaded from outside. */
export interface Source<T> {
  /** The latest good one; undefined before there was one. The first call starts the loading, later ones look now and then for a new one. */
  current(): T | undefined
  /** The same, without starting anything. */
  peek(): T | undefined
  /** Resolves when the first load is over; rejects when that failed. */
  start(): Promise<void>
  /** Why the latest load failed; undefined when it worked. */
  readonly lastError: IpGuardError | undefined
}

interface FileOptions<T> {
  readonly file: string
  /** Ms between two looks at the file. */
  readonly every: number
  readonly clock: Clock
  /** Opens and tries what was read. */
  readonly open: (bytes: Uint8Array) => Promise<T>
  readonly onWarning: ((warning: IpGuardError) => void) | undefined
}

/**
 * A file that is replaced now and then, by somebody else: looked at (its time, size and number) at most every so often, when it is asked for. A
 * new one takes the old one's place once it was opened and tried; one that cannot be is tried again at the next look.
 */
export function createMmdbFile<T>({ file, every, clock, open, onWarning }: FileOptions<T>): Source<T> {
  let loaded: { readonly value: T; readonly stamp: string } | undefined
  let lastError: IpGuardError | undefined
  let next = 0
  let first: Promise<void> | undefined
  let running = false

  async function load(): Promise<void> {
    const fs = await import('node:fs/promises')
    // Before it is read: what is written after this look is found by the next.
    const { mtimeMs, size, ino } = await fs.stat(file)
    const stamp = `${mtimeMs} ${size} ${ino}`
    if (loaded?.stamp === stamp && !lastError) return
    loaded = { value: await open(await fs.readFile(file)), stamp }
    lastError = undefined
  }

  async function look(): Promise<void> {
    running = true
    try {
      await load()
    } catch (cause) {
      const isNew = lastError === undefined
      lastError = cause instanceof IpGuardError ? cause : unreadable(file, cause)
      if (isNew) onWarning?.(lastError)
      throw lastError
    } finally {
      running = false
      next = clock.now() + every
    }
  }

  function start(): Promise<void> {
    if (!first) {
      first = look()
      // Whoever does not wait for it reads of its failure in `lastError`.
      first.catch(() => {})
    }
    return first
  }

  return {
    start,
    current() {
      if (!first) void start()
      else if (!running && clock.now() >= next) void look().catch(() => {})
      return loaded?.value
    },
    peek: () => loaded?.value,
    get lastError() {
      return lastError
    },
  }
}

/** What is loaded once and does not change; a load that failed is tried again by the next call. */
export function createLoading<T>(load: () => Promise<T>): Source<T> {
  let loaded: T | undefined
  let lastError: IpGuardError | undefined
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    try {
      loaded = await load()
      lastError = undefined
    } catch (cause) {
      lastError = cause instanceof IpGuardError ? cause : unreadable('that was given as bytes', cause)
      throw lastError
    } finally {
      running = undefined
    }
  }

  function start(): Promise<void> {
    if (loaded !== undefined) return Promise.resolve()
    if (!running) {
      running = run()
      running.catch(() => {})
    }
    return running
  }

  return {
    start,
    current() {
      if (loaded === undefined) void start()
      return loaded
    },
    peek: () => loaded,
    get lastError() {
      return lastError
    },
  }
}

function unreadable(file: string, cause: unknown): IpGuardError {
  const code: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : undefined
  const why = typeof code === 'string' ? ` (${code})` : ''
  return new IpGuardError('IPGUARD_PROVIDER_FAILED', `The file ${file} could not be read${why}.`, { cause })
}
