import { type Category, type IpGuardError, invalidOption, type Prefix, parsePrefix, type Verdict } from '@ipguard/core'
import { parseGoDuration } from './crowdsec-duration.ts'
import { object, required, text } from './read-json.ts'
import { oneLine } from './verdict-of.ts'

/** What a Local API wants done with an address or a block. */
export interface Decision {
  /** `ban`, `captcha`, or what the operator's profiles say; lower case. */
  readonly type: string
  readonly prefix: Prefix
  /** Milliseconds that are left; in lists of deleted decisions at or below 0. */
  readonly left: number
  readonly scenario: string
  readonly origin: string
}

/**
 * One decision of an answer, or undefined when it is not about an address: another scope, a value that is none, or a block of all addresses.
 *
 * @throws {IpGuardError} `IPGUARD_PROVIDER_ANSWER` when it is no decision: what cannot be read must not pass for "nothing is decided".
 */
export function readDecision(value: unknown): Decision | undefined {
  const fields = object(value)
  const scope = required(text(fields.scope), 'a scope').toLowerCase()
  const type = required(text(fields.type, 64), 'a type').toLowerCase()
  const left = required(parseGoDuration(fields.duration), 'a duration')
  const at = required(text(fields.value), 'a value')
  const prefix = scope === 'ip' || scope === 'range' ? readPrefix(at) : undefined
  if (!prefix || prefix.length === 0) return undefined
  return {
    type,
    prefix,
    left,
    scenario: oneLine(fields.scenario, 120) ?? '',
    origin: oneLine(fields.origin, 64) ?? '',
  }
}

function readPrefix(value: string): Prefix | undefined {
  try {
    return parsePrefix(value)
  } catch {
    return undefined
  }
}

/** The score of a decision's type. */
export type TypeScores = (type: string) => number

/**
 * An unknown type counts as a ban: what somebody configured to keep a client out must not let it in because its name is new.
 *
 * @throws {IpGuardError} `IPGUARD_OPTION_INVALID` when a score is none.
 */
export function compileTypes(types: Readonly<Record<string, number>> = {}): TypeScores {
  const scores = new Map([
    ['ban', 100],
    ['captcha', 60],
  ])
  for (const [type, score] of Object.entries(types)) {
    if (!(typeof score === 'number' && score >= 0 && score <= 100)) throw invalidScore(type, score)
    scores.set(type.toLowerCase(), score)
  }
  const other = scores.get('*') ?? 100
  return (type) => scores.get(type) ?? other
}

function invalidScore(type: string, score: unknown): IpGuardError {
  return invalidOption(`crowdsec.types.${type.slice(0, 40)}`, score, 'a score from 0 to 100: { throttle: 30 }')
}

/** What a decision is compared by. */
type Ranked = Pick<Decision, 'type' | 'left'>

/** Whether the first is to be obeyed rather than the second: the higher score, then a ban, then the one that lasts longer. */
export function isGraver(one: Ranked, other: Ranked, scoreOf: TypeScores): boolean {
  const difference = scoreOf(one.type) - scoreOf(other.type)
  if (difference !== 0) return difference > 0
  if (one.type !== other.type && (one.type === 'ban' || other.type === 'ban')) return one.type === 'ban'
  return one.left > other.left
}

/** The words of a scenario's name, such as `crowdsecurity/ssh-bf`, that say what the address did. */
const WORDS: readonly (readonly [RegExp, Category])[] = [
  [/\b(bf|bruteforce|brute-force|credential|stuffing|spray)\b/, 'brute-force'],
  [/\b(scan|scanner|scanning|probing|crawl|enum|recon|portscan)\b/, 'scanner'],
  [/\b(spam|spammer)\b/, 'spam'],
  [/\b(d?dos|flood)\b/, 'ddos'],
  [/\b(exploit|exploits|cve|backdoors?|sqli|xss|rce|log4shell|log4j)\b/, 'abuse'],
  [/\b(proxy|proxies)\b/, 'proxy'],
  [/\bvpn\b/, 'vpn'],
  [/\btor\b/, 'tor'],
  [/\bbotnet\b/, 'botnet'],
]

/** Undefined when its type scores 0: such decisions are not obeyed. */
export function verdictOfDecision(
  decision: Pick<Decision, 'type' | 'scenario' | 'origin'>,
  scoreOf: TypeScores,
): Verdict | undefined {
  const score = scoreOf(decision.type)
  if (score === 0) return undefined
  // An underscore is a letter to \b.
  const name = decision.scenario.toLowerCase().replaceAll('_', ' ')
  const categories = WORDS.filter(([word]) => word.test(name)).map(([, category]) => category)
  const detail = `${decision.type}: ${decision.scenario}${decision.origin === '' ? '' : ` (${decision.origin})`}`
  return { score, ...(categories.length > 0 ? { categories } : {}), detail: detail.slice(0, 200) }
}
