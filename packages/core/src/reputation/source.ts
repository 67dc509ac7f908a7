import { describe, type IpGuardErrorCode } from '../errors.ts'
import type { Address } from '../ip/address.ts'
import type { Finding } from '../store/store.ts'
import { createCircuit, type Pass } from './circuit.ts'
import { type Answer, type Asker, createFlights, type Flight } from './flights.ts'
import { lookUp, readFailure } from './look-up.ts'
import type { Provider } from './provider.ts'
import type { ProviderSettings } from './provider-settings.ts'
import { createQuotaLedger, type QuotaHost } from './quota-ledger.ts'
import { createSharedBook, LOST, type SharedBook } from './shared-book.ts'
import { shortened, type Told, toldNow } from './told.ts'

/** One provider in `guard.metrics()`: counts since the start, and how it stands now. */
export interface SourceMetrics {
  /** Look-ups sent to the source. */
  readonly asked: number
  readonly listed: number
  readonly unlisted: number
  /** It could not tell. */
  readonly failed: number
  /** Pushed out of the queue by newer ones. */
  readonly dropped: number
  /** Wanted while the quota was used up, or the source had asked for a pause. */
  readonly overQuota: number
  /** Answered by what another process, or an earlier one, had been told. */
  readonly shared: number
  readonly inFlight: number
  readonly queued: number
  /** The circuit is open: it failed again and again, and is not asked. */
  readonly open: boolean
}

/** A provider with what stands around it: queue, single flight, the records of other processes, quota, circuit. */
export interface Source {
  readonly provider: Provider
  /** In the rows of the book. */
  readonly place: number
  supports(ip: string): boolean
  flightOf(ip: string): Flight | undefined
  /** When it may be asked again; 0: now. */
  barredUntil(now: number, highValue: boolean): number
  /** Somebody would have been asked about, and it is barred. */
  skip(now: number, highValue: boolean): void
  /** Undefined when it may not be asked now. */
  ask(ip: string, address: Address, asker: Asker): Flight | undefined
  metrics(): SourceMetrics
  close(): Promise<void>
}

export interface SourceHost extends QuotaHost {
  readonly after: (ms: number, call: () => void) => () => void
  readonly away: () => boolean
  readonly warn: (warning: Finding, provider: string) => void
  readonly fail: (code: IpGuardErrorCode, message: string, cause: unknown) => void
}

export interface SourceOptions {
  readonly provider: Provider
  readonly settings: ProviderSettings
  readonly place: number
  readonly host: SourceHost
  /** As they are now: policies that come later may raise them. `reserve`: the share of the quota that is kept for high value. */
  readonly limits: { readonly concurrency: number; readonly maxQueue: number; readonly reserve: number }
  /** Takes down what it told of an address, or until when it could not tell. */
  readonly keep: (address: Address, place: number, answer: Answer) => void
}

const HOUR = 3_600_000
const SHORTEST_REST = 600_000
/** No source keeps us from asking for longer, in ms. */
const LONGEST_PAUSE = 86_400_000
/** The first pause when a source does not say how long; doubled each time. */
const FIRST_PAUSE = 60_000
/** How long a source with a quota is left alone when the store cannot tell how much is left; the guard's answer in its place too. */
const AWAY = 1_000

export function createSource({ provider, settings, place, host, limits, keep }: SourceOptions): Source {
  const { name, quota } = provider
  const { timeout, version, ttl } = settings
  const { now, after, store, fail } = host
  const running = new Set<() => void>()
  const circuit = createCircuit()
  const ledger = quota && createQuotaLedger(name, quota, host)
  const shared: SharedBook | undefined =
    store &&
    createSharedBook({
      store,
      provider: name,
      version,
      timeout,
      now,
      after,
      fail,
      closed: () => closed,
      paused(until) {
        pausedUntil = Math.max(pausedUntil, Math.min(until, now() + LONGEST_PAUSE))
      },
    })
  const counts = { asked: 0, listed: 0, unlisted: 0, failed: 0, dropped: 0, overQuota: 0, shared: 0 }
  let closed = false
  let pausedUntil = 0
  let pause = FIRST_PAUSE
  /** Until when the quota is used up, but for the reserve; and with it. */
  let quotaUntil = 0
  let reserveUntil = 0

  const flights = createFlights({
    provider: name,
    limits,
    run: (flight) =>
      find(flight).catch((error: unknown) =>
        fail('IPGUARD_PROVIDER_FAILED', `A look-up at provider ${describe(name)} failed.`, error),
      ),
    ended(flight, answer) {
      if (closed || answer === 0) return
      keep(flight.address, place, answer)
      if (typeof answer !== 'number') for (const asker of flight.askers) asker.told(flight, answer)
    },
    dropped() {
      counts.dropped++
      host.warn(
        {
          code: 'IPGUARD_LOOKUPS_DROPPED',
          message: `More look-ups wait for provider ${describe(name)} than maxQueue = ${limits.maxQueue}, and the oldest was dropped: its address stays unknown until it comes again.`,
        },
        name,
      )
    },
  })

  /** When quota and pauses let it be asked again. */
  const heldUntil = (highValue: boolean): number => Math.max(pausedUntil, highValue ? reserveUntil : quotaUntil)

  function skip(at: number, highValue: boolean): void {
    if (heldUntil(highValue) > at) counts.overQuota++
  }

  function barredUntil(at: number, highValue: boolean): number {
    const until = Math.max(heldUntil(highValue), circuit.bars(at) ? Math.max(circuit.until, at + 1) : 0)
    return until > at ? until : 0
  }

  /** What others know, then whose turn it is to ask, then the source itself. */
  async function find(flight: Flight): Promise<void> {
    const { ip, address } = flight
    // In the queue since before: who waits is told what other processes know, for the others it is no use.
    if (!flight.waits && barredUntil(now(), flight.highValue) > 0) return
    let book = host.away() ? undefined : shared
    const known = await book?.read(ip)
    if (known === LOST) book = undefined
    else if (known) {
      if (known.freshUntil > now()) return share(flight, known)
      if (known.staleUntil > now()) keep(address, place, known)
    }
    const barred = barredUntil(now(), flight.highValue)
    if (barred > 0 || closed) return flights.end(flight, Math.min(barred, now() + ttl.error))
    const claimed = await book?.claim(ip)
    if (claimed === LOST) book = undefined
    else if (typeof claimed === 'number') return flights.end(flight, claimed)
    else if (typeof claimed === 'object') return share(flight, claimed)
    const answer = await send(flight, book)
    await book?.finish(ip, answer)
  }

  function share(flight: Flight, told: Told): void {
    counts.shared++
    flights.end(flight, told)
  }

  /** What it told; or until when other processes need not ask about this address, as it could not tell. */
  async function send(flight: Flight, book: SharedBook | undefined): Promise<Answer> {
    const pass = closed || pausedUntil > now() ? undefined : circuit.enter(now())
    if (!pass) return 0
    const { highValue } = flight
    // Never over quota: without the store nobody knows what others have sent.
    const wait = !ledger ? 0 : store && !book ? AWAY : await ledger.take(highValue ? 0 : limits.reserve)
    if (wait > 0 || closed) {
      circuit.leave(pass)
      exhausted(Math.min(wait, LONGEST_PAUSE), highValue)
      return 0
    }
    counts.asked++
    try {
      const verdict = await lookUp(provider, flight.ip, { timeout, after, running })
      circuit.succeeded(pass)
      pause = FIRST_PAUSE
      counts[verdict ? 'listed' : 'unlisted']++
      const told = toldNow(verdict, settings, now())
      flights.end(flight, told)
      return told
    } catch (error) {
      return closed ? 0 : couldNotTell(flight, error, pass, book)
    }
  }

  function exhausted(wait: number, highValue: boolean): void {
    quotaUntil = Math.max(quotaUntil, now() + wait)
    if (highValue) reserveUntil = quotaUntil
    if (wait <= AWAY) return
    counts.overQuota++
    warn('QUOTA', 'has no quota left: addresses that are not known stay unknown until there is some again')
  }

  async function couldNotTell(
    flight: Flight,
    error: unknown,
    pass: Pass,
    book: SharedBook | undefined,
  ): Promise<number> {
    const at = now()
    const until = at + shortened(ttl.error)
    const { code, retryAfter } = readFailure(error)
    counts.failed++
    if (code !== 'IPGUARD_PROVIDER_QUOTA')
      fail(code, `Provider ${describe(name)} could not tell about an address.`, error)
    if (code === 'IPGUARD_PROVIDER_REFUSED') {
      // A source that knows better when to ask again is still spared for some minutes.
      const rest = retryAfter > 0 ? Math.min(Math.max(retryAfter, SHORTEST_REST), HOUR) : HOUR
      circuit.refuse(at + rest)
      const length = rest < HOUR ? 'some minutes' : 'an hour'
      warn(
        'REFUSED',
        `refuses to answer and is left alone for ${length}: look at its key, and at the cause of the error`,
      )
      return 0
    }
    if (code !== 'IPGUARD_PROVIDER_QUOTA' && retryAfter === 0) {
      circuit.failed(pass, at)
      if (circuit.open) warn('FAILED', 'fails again and again and is left alone for a while')
      flights.end(flight, until)
      return until
    }
    circuit.leave(pass)
    pausedUntil = at + Math.min(retryAfter || pause, LONGEST_PAUSE)
    if (retryAfter === 0) pause = Math.min(2 * pause, LONGEST_PAUSE)
    if (code === 'IPGUARD_PROVIDER_QUOTA')
      warn('QUOTA', 'says that its quota is used up, and is left alone until there is some')
    flights.end(flight, 0)
    await book?.pause(pausedUntil)
    return 0
  }

  function warn(word: 'FAILED' | 'QUOTA' | 'REFUSED', what: string): void {
    host.warn({ code: `IPGUARD_PROVIDER_${word}`, message: `Provider ${describe(name)} ${what}.` }, name)
  }

  return {
    provider,
    place,
    supports(ip) {
      try {
        return provider.supports?.(ip) !== false
      } catch {
        return false
      }
    },
    flightOf: flights.of,
    barredUntil,
    skip,
    ask(ip, address, asker) {
      const at = now()
      const barred = barredUntil(at, asker.highValue)
      skip(at, asker.highValue)
      return closed || (barred > 0 && !asker.waits) ? undefined : flights.join(ip, address, asker)
    },
    metrics: () => ({ ...counts, inFlight: flights.inFlight, queued: flights.queued, open: circuit.open }),
    async close() {
      closed = true
      flights.close()
      for (const stop of running) stop()
      await provider.close?.()
    },
  }
}
