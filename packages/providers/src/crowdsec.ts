import { IpGuardError, type Provider, parseDuration, systemClock } from '@ipguard/core'
import { createAlerts } from './crowdsec-alerts.ts'
import {
  compileTypes,
  type Decision,
  isGraver,
  readDecision,
  type TypeScores,
  verdictOfDecision,
} from './crowdsec-decision.ts'
import { type CrowdsecOptions, checkCrowdsecOptions } from './crowdsec-options.ts'
import { type CrowdsecStatus, createDecisionStream } from './crowdsec-stream.ts'
import { createUsage } from './crowdsec-usage.ts'
import { type ProviderAnswer, providerStream } from './http/provider-fetch.ts'
import { httpSource } from './http-provider.ts'
import { list, required } from './read-json.ts'
import { settingsDigest } from './settings-digest.ts'

export type { CrowdsecMachine, CrowdsecOptions } from './crowdsec-options.ts'
export type { CrowdsecStatus } from './crowdsec-stream.ts'

/** A provider that keeps a copy of all decisions, with how it stands and how to end it. */
export interface CrowdsecStream extends Provider {
  /** Loads all decisions before the first request; resolves when they are there, rejects when that failed (it goes on trying by itself). */
  start(): Promise<void>
  /** How the stream stands: decisions held, and when it was last in touch. */
  status(): CrowdsecStatus
  close(): void
}

/** The Local API reads `name/version` from the user agent, and nothing else may stand in it. */
const VERSION = 'v0'
const USER_AGENT = `ipguard/${VERSION}`
const TTL = { verdict: '10s', unlisted: '10s', error: '10s' } as const

/**
 * Decisions of your own CrowdSec, from its Local API: bans and captchas that its scenarios, your operators and its lists have placed on addresses
 * and ranges, IPv4 and IPv6. Decisions on countries and networks (AS) are not asked for: ipguard knows neither of a client.
 *
 * `live` asks for each address and keeps an answer for at most 10 s. `stream` is for traffic: it pulls all decisions once and then the changes
 * every 10 s, answers from memory in the request itself, and while the server is away goes on with what it has, each decision until it runs out.
 * Until the first pull has come no address can be judged, so call `start()` first. The position in the changes belongs to the key: give every
 * process its own, or a change may come as late as the next full pull.
 *
 * Of several decisions the gravest counts: the highest score, then a ban. A type that is not in `types` counts as a ban. With `machine`, reports
 * are pushed as alerts, `ipguard/<type>`; with `ban` too they place a decision, which every bouncer of this CrowdSec then obeys.
 *
 * Own server: no quota, no terms. Observed on 1.4.6; later versions add fields.
 *
 * @example
 * const decisions = crowdsec({ url: 'http://127.0.0.1:8080', key: process.env.CROWDSEC_KEY ?? '', mode: 'stream' })
 * await decisions.start()
 * @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_DURATION_INVALID`
 */
export function crowdsec(options: CrowdsecOptions & { readonly mode: 'stream' }): CrowdsecStream
export function crowdsec(options: CrowdsecOptions): Provider
export function crowdsec(options: CrowdsecOptions): Provider | CrowdsecStream {
  const url = checkCrowdsecOptions(options)
  const { key, mode = 'live', types, machine, metrics = '15m', clock = systemClock() } = options
  const scoreOf = compileTypes(types)
  const headers = { 'x-api-key': key, 'user-agent': USER_AGENT }
  const secrets = machine ? [key, machine.password] : [key]
  const longest = parseDuration(options.ttl?.verdict ?? TTL.verdict, 'crowdsec.ttl.verdict')
  const { provider, send } = httpSource({
    factory: 'crowdsec',
    options: pick(options, url),
    own: [],
    defaults: { baseUrl: url, timeout: mode === 'live' ? '2s' : '30s', ...(mode === 'live' && { ttl: TTL }) },
    secrets,
    plainHttp: true,
    version: settingsDigest([url, types]),
    // No other parameter: one that the server does not know is ignored, and every decision there is would be answered.
    request: (ip, baseUrl) => ({ url: `${baseUrl}/v1/decisions?ip=${encodeURIComponent(ip)}`, headers }),
    read(answer) {
      const met = readLive(answer, scoreOf)
      const verdict = met && verdictOfDecision(met, scoreOf)
      usage?.count(verdict && met)
      return met && verdict && { ...verdict, ttl: Math.min(Math.ceil(met.left), longest) }
    },
  })
  const usage =
    metrics === false
      ? undefined
      : createUsage({
          send,
          url: `${url}/v1/usage-metrics`,
          headers: { ...headers, 'content-type': 'application/json' },
          version: VERSION,
          clock,
          every: parseDuration(metrics, 'crowdsec.metrics'),
        })
  const reports =
    machine && createAlerts({ send, baseUrl: url, userAgent: USER_AGENT, machine, ban: options.ban, clock })
  return mode === 'stream' ? stream() : live()

  function live(): Provider {
    const closing = new AbortController()
    return {
      ...provider,
      ...reports,
      async lookup(ip, context) {
        const verdict = await provider.lookup(ip, context)
        // In the background and with an end of its own: the look-up's may come at once.
        void usage?.tell(closing.signal)
        return verdict
      },
      close: () => closing.abort(),
    }
  }

  function stream(): CrowdsecStream {
    const { every = '10s', full = '1h', maxBytes = 134_217_728, fetch, onWarning } = options
    const decisions = createDecisionStream({
      scoreOf,
      clock,
      every: parseDuration(every, 'crowdsec.every'),
      full: parseDuration(full, 'crowdsec.full'),
      onWarning,
      after: async (entries, signal) => usage?.tell(signal, entries),
      async pull(startup, signal) {
        const limits = { maxBytes, timeout: provider.timeout ?? '30s', secrets, ...(fetch && { fetch }) }
        const from = `${url}/v1/decisions/stream?startup=${startup}&scopes=ip,range`
        const { status, body } = await providerStream(from, { ...limits, signal, headers })
        if (status === 200) return body
        // Read for a moment, so that its connection is closed.
        for await (const _ of body) break
        throw refusal(status)
      },
    })
    return {
      name: provider.name,
      ...(provider.weight !== undefined && { weight: provider.weight }),
      ...reports,
      local: true,
      lookup(ip) {
        const met = decisions.match(ip)
        const verdict = met && verdictOfDecision(met, scoreOf)
        usage?.count(verdict && met)
        return verdict
      },
      start: async () => decisions.start(),
      status: () => decisions.status(),
      close: () => decisions.close(),
    }
  }
}

function pick({ name, weight, ttl, timeout, fetch }: CrowdsecOptions, baseUrl: string): object {
  return {
    baseUrl,
    ...(name !== undefined && { name }),
    ...(weight !== undefined && { weight }),
    ...(ttl !== undefined && { ttl }),
    ...(timeout !== undefined && { timeout }),
    ...(fetch !== undefined && { fetch }),
  }
}

/** The gravest decision. `null` is no decision, and in a list the order says nothing. */
function readLive(answer: ProviderAnswer, scoreOf: TypeScores): Decision | undefined {
  const body = answer.json()
  const all = body === null ? [] : required(list(body), 'a list of decisions')
  let gravest: Decision | undefined
  for (const each of all) {
    const decision = readDecision(each)
    if (decision && decision.left > 0 && (!gravest || isGraver(decision, gravest, scoreOf))) gravest = decision
  }
  return gravest
}

function refusal(status: number): IpGuardError {
  return status === 401 || status === 403
    ? new IpGuardError('IPGUARD_PROVIDER_REFUSED', `The CrowdSec Local API does not accept the key (status ${status}).`)
    : new IpGuardError('IPGUARD_PROVIDER_FAILED', `The CrowdSec Local API answered with status ${status}.`)
}
