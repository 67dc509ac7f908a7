import { type Category, normalizeIp, type Verdict } from '@ipguard/core'
import { flagScore } from './flag-score.ts'
import type { ProviderAnswer } from './http/provider-fetch.ts'
import { readFlags } from './read-flags.ts'
import { type Fields, flag, object, optionalObject, required } from './read-json.ts'
import { fieldsOf, vendorError } from './vendor-error.ts'
import { inRange, oneLine, verdictOf } from './verdict-of.ts'

type Scores = Partial<Record<Category, number>> | undefined

const DETECTIONS: Readonly<Record<string, Category>> = {
  proxy: 'proxy',
  vpn: 'vpn',
  tor: 'tor',
  compromised: 'malware',
  scraper: 'crawler',
  hosting: 'hosting',
}

const CODES = {
  400: 'IPGUARD_PROVIDER_FAILED',
  401: 'IPGUARD_PROVIDER_REFUSED',
  403: 'IPGUARD_PROVIDER_REFUSED',
  429: 'IPGUARD_PROVIDER_QUOTA',
} as const

/** The verdict of either version of the API: version 3 has `detections`, version 2 says it all in one level. */
export function readProxycheck(answer: ProviderAnswer, ip: string, scores: Scores): Verdict | undefined {
  const body = answer.status === 200 ? object(answer.json()) : fieldsOf(answer)
  const otherwise = CODES[answer.status as keyof typeof CODES] // undefined for 200
  if (!body || otherwise || (body.status !== 'ok' && body.status !== 'warning')) {
    const denied = body?.status === 'denied' ? 'IPGUARD_PROVIDER_REFUSED' : undefined
    const unread = body?.message ? 'IPGUARD_PROVIDER_FAILED' : 'IPGUARD_PROVIDER_ANSWER'
    throw vendorError('proxycheck', body?.message, otherwise ?? denied ?? unread)
  }
  const entry = required(entryOf(body, ip), 'an entry for the address')
  return entry.detections === undefined ? readVersion2(entry, scores) : readVersion3(entry, scores)
}

function entryOf(body: Fields, ip: string): Fields | undefined {
  const wanted = normalizeIp(ip)
  const key = Object.keys(body).find((name) => normalizeIp(name) === wanted)
  return key === undefined ? undefined : optionalObject(body[key])
}

function readVersion3(entry: Fields, scores: Scores): Verdict | undefined {
  const detections = object(entry.detections)
  const risk = inRange(detections.risk)
  const flags = readFlags(detections, DETECTIONS)
  if (risk === undefined) required(flags, 'flags or a risk')
  const found = new Set(flags)
  // It is set with all ways to hide: alone it says only that there is one.
  if (flag(detections.anonymous) && !found.has('vpn') && !found.has('tor')) found.add('proxy')
  if (optionalObject(entry.network)?.type === 'Hosting') found.add('hosting')
  const confidence = inRange(detections.confidence)
  return verdictOf(risk ?? flagScore([...found], scores), [...found], {
    detail: oneLine(optionalObject(entry.operator)?.name),
    confidence: confidence === undefined ? undefined : confidence / 100,
  })
}

function readVersion2(entry: Fields, scores: Scores): Verdict | undefined {
  const risk = inRange(entry.risk)
  const isProxy = flag(entry.proxy)
  const isVpn = flag(entry.vpn)
  if (risk === undefined) required(isProxy ?? isVpn, 'a flag or a risk')
  const type = (oneLine(entry.type, 40) ?? '').toLowerCase()
  const found = new Set<Category>()
  if (isVpn) found.add('vpn')
  if (isProxy) found.add(kindOf(type))
  if (type === 'hosting') found.add('hosting')
  return verdictOf(risk ?? flagScore([...found], scores), [...found], {
    detail: oneLine(optionalObject(entry.operator)?.name),
  })
}

/** What kind of proxy; the protocols (SOCKS5, HTTP and others) are proxies. */
function kindOf(type: string): Category {
  if (type === 'vpn') return 'vpn'
  if (type.startsWith('tor')) return 'tor'
  return type === 'compromised server' ? 'malware' : 'proxy'
}
