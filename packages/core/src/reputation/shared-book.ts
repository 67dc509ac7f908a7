import type { IpGuardErrorCode } from '../errors.ts'
import { type Awaitable, isPromise } from '../store/awaitable.ts'
import type { Store } from '../store/store.ts'
import { parseTold, renderTold, type Told } from './told.ts'

/** What all processes on one store know of a source's answers, and which of them asks. */
export interface SharedBook {
  /** The record of an address; LOST when the store could not tell. Tells `paused` too. */
  read(ip: string): Promise<Told | undefined | typeof LOST>
  /**
   * Takes the lease of an address, or waits for who has it. `'mine'`: ask the source, then `finish`. What it has told, if that came first. A
   * number: until when it is not asked again, as it could not tell just now; 0: no lease was to be had. Who has the lease has been told `paused`
   * since.
   */
  claim(ip: string): Promise<'mine' | Told | number | typeof LOST>
  /** Ends the lease: with what was told; or nobody asks again until then; or, with 0, with neither. */
  finish(ip: string, answer: Told | number): Promise<void>
  /** Keeps all processes from asking the source. */
  pause(until: number): Promise<void>
}

export interface SharedBookOptions {
  readonly store: Store
  readonly provider: string
  /** Of the settings that change answers. */
  readonly version: string
  /** How long a look-up may take, in ms. */
  readonly timeout: number
  readonly now: () => number
  readonly after: (ms: number, call: () => void) => () => void
  readonly fail: (code: IpGuardErrorCode, message: string, cause: unknown) => void
  readonly closed: () => boolean
  /** Another process was told not to ask the source until then. */
  readonly paused: (until: number) => void
}

/** The store did not answer in time, or failed. */
export const LOST: unique symbol = Symbol('lost')
/** How long one call to the store may take, in ms. Nobody's request waits for it. */
const PATIENCE = 250
/** Longer than the look-up itself: its answer is written under the lease. */
const MARGIN = 1_000
/** Between two looks at a lease that another process has, in ms; up to twice that. */
const STEP = 50
/** Begins the record of a look-up that failed, in place of its lease. */
const FAILED = '!'
const ASKING = 'asking'

export function createSharedBook(options: SharedBookOptions): SharedBook {
  const { store, provider, version, timeout, now, after, fail, closed, paused } = options
  // With lengths, so that no name and version can be read as another name and version.
  const place = `1:${provider.length}:${provider}:${version.length}:${version}:`
  const pauseKey = `rep-pause:1:${provider}`
  const length = timeout + MARGIN
  const held = new Map<string, number>()

  function inTime<T>(answer: Promise<T>): Promise<T | typeof LOST> {
    return new Promise((resolve, reject) => {
      const cancel = after(PATIENCE, () => resolve(LOST))
      answer.finally(cancel).then(resolve, reject)
    })
  }

  async function ask<T>(call: () => Awaitable<T>): Promise<T | typeof LOST> {
    try {
      const answer = call()
      return isPromise(answer) ? await inTime(answer) : answer
    } catch (error) {
      fail('IPGUARD_STORE_FAILED', `The store "${store.name}" could not be asked about look-ups.`, error)
      return LOST
    }
  }

  async function toldOf(ip: string): Promise<Told | undefined | typeof LOST> {
    const text = await ask(() => store.get(`rep:${place}${ip}`))
    return text === LOST ? LOST : parseTold(text, now())
  }

  async function read(ip: string): Promise<Told | undefined | typeof LOST> {
    const [told, pause] = await Promise.all([toldOf(ip), ask(() => store.get(pauseKey))])
    if (pause === LOST) return LOST
    paused(Number(pause) || 0)
    return told
  }

  async function finish(ip: string, answer: Told | number): Promise<void> {
    const key = `rep-lease:${place}${ip}`
    if (typeof answer === 'object')
      await ask(() => store.set(`rep:${place}${ip}`, renderTold(answer), answer.staleUntil))
    const until = held.get(ip) ?? 0
    held.delete(ip)
    // A lease that has run out may be another's by now.
    if (until <= now()) return
    if (typeof answer === 'number' && answer > 0) await ask(() => store.set(key, `${FAILED}${answer}`, answer))
    else await ask(() => store.delete(key))
  }

  return {
    read,
    async claim(ip) {
      const key = `rep-lease:${place}${ip}`
      const over = now() + length
      for (;;) {
        const until = now() + length
        const mine = await ask(() => store.set(key, ASKING, until, { ifAbsent: true }))
        if (mine === true) held.set(ip, until)
        // Since the last look another process may have ended its own look-up, or been told not to ask.
        const told = mine === LOST ? LOST : await (mine ? read : toldOf)(ip)
        if (told === LOST) return LOST
        if (told && told.freshUntil > now()) {
          if (mine) await finish(ip, 0)
          return told
        }
        if (mine) return 'mine'
        const holder = await ask(() => store.get(key))
        if (holder === LOST) return LOST
        const failedUntil = holder?.startsWith(FAILED) ? Number(holder.slice(FAILED.length)) || 0 : 0
        if (failedUntil > now()) return failedUntil
        if (now() >= over || closed()) return 0
        await new Promise<void>((resolve) => after(STEP * (1 + Math.random()), resolve))
      }
    },
    finish,
    async pause(until) {
      await ask(() => store.set(pauseKey, String(until), until))
    },
  }
}
