import type { Address } from '../ip/address.ts'
import { classifyAddress } from '../ip/special.ts'
import { type Book, type BookLimits, bookOf } from '../reputation/book.ts'
import type { Asker, Flight } from '../reputation/flights.ts'
import { lookUpNow } from '../reputation/look-up.ts'
import type { Provider, Verdict } from '../reputation/provider.ts'
import type { Source } from '../reputation/source.ts'
import type { Told } from '../reputation/told.ts'
import type { Action, ReputationVoice } from './decision.ts'
import type { Judge, Judgement } from './judge.ts'
import type { PolicyHost } from './policy-host.ts'

/** Of whom something is wanted. */
export interface Subject {
  readonly ip: string
  readonly address: Address
  /** The client's key. */
  readonly key: string
}

/** What is known of a client, and what it comes to. */
export interface Knowledge extends Judgement {
  readonly verdicts: readonly ReputationVoice[]
  /** No provider has told anything. */
  readonly unknown: boolean
  /** Look-ups under way that could change the action, of providers that have told nothing yet and of the others. */
  readonly awaited: readonly Flight[]
  readonly renewals: readonly Flight[]
  /** A provider that could change the action could not tell. */
  readonly degraded: boolean
  /** Until then the same would be found; 0: it may be another any time. */
  readonly until: number
  /** When something new may be told. */
  readonly newsAt: number
}

export interface ReputationDesk {
  readonly book: Book
  /** Of this policy in the rows of the book. */
  readonly place: number
  /**
   * Whether nothing will be found out about this address, of which nothing is known, as no source may be asked now: what most requests of a
   * flood are met with once the quota is spent. The answer is `onUnknown`, degraded.
   */
  isShut(address: Address, now: number): boolean
  /** `ask` starts look-ups that could change the action; `look` only looks; `over`: what has told nothing by now could not tell. */
  know(subject: Subject, now: number, mode: 'ask' | 'look' | 'over'): Knowledge
}

export interface DeskOptions {
  readonly policy: string
  readonly judge: Judge
  readonly providers: readonly { readonly provider: Provider; readonly weight: number }[]
  readonly limits: BookLimits
  readonly onUnknown: Action
  readonly includePrivate: boolean
  readonly highValue: boolean
  readonly waits: boolean
}

interface Due {
  readonly source: Source
  /** Of its own in this policy, which has 16 providers at most. */
  readonly bit: number
  readonly weight: number
  /** It has told something, which counts still. */
  readonly known: boolean
}

const NOTHING: readonly ReputationVoice[] = []

/** A reputation policy on one guard: what its providers have told, and what is worth asking. */
export function createDesk(options: DeskOptions, host: PolicyHost): ReputationDesk {
  const { policy, judge, onUnknown, includePrivate, highValue, waits } = options
  const book = bookOf(host)
  const sources = options.providers.map(({ provider, weight }, i) => ({
    weight,
    bit: 1 << i,
    source: book.join(provider, options.limits),
  }))
  const hasLocal = sources.some(({ source }) => source.provider.local)
  const asker: Asker = {
    highValue,
    waits,
    told({ provider, ip, address }, { verdict }) {
      const { action, score } = know({ ip, address, key: ip }, host.now(), 'look')
      host.told({ ip, provider, policy, action, score, ...(verdict && { verdict }) })
    },
  }

  /** By who is due, when nobody else has told anything: most addresses are not known, and are asked about in a flood. */
  const worstOf = new Map<number, Action>()

  function worst(settled: readonly ReputationVoice[], due: readonly Due[]): Action {
    const weights = (): number[] => due.map(({ weight }) => weight)
    if (settled.length > 0) return judge.worst(settled, weights())
    const who = due.reduce((bits, { bit }) => bits | bit, 0)
    const found = worstOf.get(who) ?? judge.worst(settled, weights())
    worstOf.set(who, found)
    return found
  }

  /** Whether those that are due could change the action, whatever they and the others told. */
  function matters(settled: readonly ReputationVoice[], anyTold: boolean, due: readonly Due[]): boolean {
    if (due.length === 0) return false
    const most = worst(settled, due)
    return judge.judge(settled).action !== most || (!anyTold && onUnknown !== most)
  }

  /** A client with many addresses has used up what is looked up of them. */
  function isSpent({ ip, key }: Subject, now: number): boolean {
    return key !== ip && !book.mayLookUp(key, ip, now)
  }

  function know(subject: Subject, now: number, mode: 'ask' | 'look' | 'over'): Knowledge {
    const { ip, address } = subject
    const isAskable = includePrivate || classifyAddress(address) === undefined
    const row = isAskable ? book.table.find(address) : undefined
    const verdicts: ReputationVoice[] = []
    /** Without those that are asked anew. */
    const settled: ReputationVoice[] = []
    const due: Due[] = []
    let told = 0
    let settledTold = 0
    let degraded = false
    let until = Number.POSITIVE_INFINITY
    let newsAt = Number.POSITIVE_INFINITY

    for (const { source, weight, bit } of isAskable ? sources : []) {
      const { provider, place } = source
      if (!source.supports(ip)) continue
      const said = provider.local ? saidNow(provider, ip, now) : row?.told[place]
      const isFresh = said !== undefined && now < said.freshUntil
      const known = said !== undefined && now < said.staleUntil
      if (known) {
        told++
        until = Math.min(until, isFresh ? said.freshUntil : said.staleUntil)
        const voice = said.verdict && voiceOf(provider.name, weight, said.verdict, said.at, !isFresh)
        if (voice) verdicts.push(voice)
        if (isFresh) settledTold++
        if (voice && isFresh) settled.push(voice)
      }
      if (isFresh) newsAt = Math.min(newsAt, said.freshUntil)
      else if (provider.local) degraded = true
      else due.push({ source, weight, bit, known })
    }

    const awaited: Flight[] = []
    const renewals: Flight[] = []
    if (matters(settled, settledTold > 0, due)) {
      until = 0
      for (const { source, known } of due) {
        const retryAt = row?.retryAt[source.place] ?? 0
        const barred = source.barredUntil(now, highValue)
        const mayAsk = mode === 'ask' && retryAt <= now
        const spent = mode !== 'look' && barred === 0 && isSpent(subject, now)
        const flight = mayAsk && !spent ? source.ask(ip, address, asker) : source.flightOf(ip)
        if (flight) (known ? renewals : awaited).push(flight)
        newsAt = Math.min(newsAt, flight ? now : Math.max(now, retryAt, barred))
        const silent = flight ? mode === 'over' : retryAt > now || barred > 0 || (mode !== 'look' && !spent)
        if (!known && silent) degraded = true
      }
    }
    return {
      ...judge.judge(verdicts),
      ...(told === 0 && { action: onUnknown }),
      verdicts: verdicts.length === 0 ? NOTHING : verdicts,
      unknown: told === 0,
      awaited,
      renewals,
      degraded,
      until: hasLocal || degraded || until === Number.POSITIVE_INFINITY ? 0 : until,
      newsAt,
    }
  }

  /** No source is local or particular, nobody waits, the answer names no time, and what they could say would matter. */
  const isPlain =
    !waits &&
    onUnknown !== 'limit' &&
    sources.every(({ source: { provider } }) => !provider.local && !provider.supports) &&
    matters(
      NOTHING,
      false,
      sources.map((each) => ({ ...each, known: false })),
    )

  function isShut(address: Address, now: number): boolean {
    if (!isPlain) return false
    for (const { source } of sources) if (source.barredUntil(now, highValue) === 0) return false
    if (book.table.find(address) || (!includePrivate && classifyAddress(address) !== undefined)) return false
    for (const { source } of sources) source.skip(now, highValue)
    return true
  }

  return { book, place: book.newPlace(), isShut, know }
}

/** Of a local provider: it is asked again each time. */
function saidNow(provider: Provider, ip: string, now: number): Told | undefined {
  const said = lookUpNow(provider, ip)
  return said && { ...said, at: now, freshUntil: Number.POSITIVE_INFINITY, staleUntil: Number.POSITIVE_INFINITY }
}

function voiceOf(provider: string, weight: number, verdict: Verdict, at: number, stale: boolean): ReputationVoice {
  const { score, confidence, categories, detail } = verdict
  return {
    provider,
    score,
    weight,
    ...(confidence !== undefined && { confidence }),
    ...(categories && { categories }),
    ...(detail !== undefined && { detail }),
    at,
    ...(stale && { stale }),
  }
}
