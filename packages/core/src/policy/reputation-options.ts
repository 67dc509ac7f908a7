import { type Duration, parseDuration } from '../duration.ts'
import { describe, IpGuardError } from '../errors.ts'
import { checkChoice, checkOptions, checkWhole, invalidOption } from '../options.ts'
import type { BookLimits } from '../reputation/book.ts'
import { CATEGORIES, type Category } from '../reputation/category.ts'
import type { Provider } from '../reputation/provider.ts'
import { checkWeight, providerSettings } from '../reputation/provider-settings.ts'
import type { Exception } from './exception.ts'
import type { Rules } from './judge.ts'
import { POLICY_OPTIONS, type PolicyOptions } from './policy.ts'

/** The options of `reputation`: whom to ask about which requests, and what to do about the answers. */
export interface ReputationOptions<Facts> extends PolicyOptions<Facts> {
  /** The sources: 1 to 16, each with a name of its own. */
  readonly providers: readonly Provider[]
  /** The score, 1 to 100, from which a client is refused. @default 80, when no other threshold and no category asks for an action */
  readonly deny?: number
  /** The score from which a client is challenged; below `deny`. @default none */
  readonly challenge?: number
  /** The score from which a client gets 429; below `challenge` and `deny`. @default none */
  readonly limit?: number
  /** By category: what is done whatever the score, or a score of 0 to 100 that joins the others once. @default none */
  readonly categories?: Readonly<Partial<Record<Category, 'deny' | 'challenge' | 'limit' | number>>>
  /** Waits for what is not known yet: true: up to the decision's deadline; a duration: so long at most. @default false */
  readonly wait?: boolean | Duration
  /** A client of whom no provider has told anything: none supports its address, all are being asked, or none could tell. @default 'allow' */
  readonly onUnknown?: 'allow' | 'challenge' | 'limit' | 'deny'
  /** How much a provider's word counts here, by its name: above 0 up to 1. @default the provider's own `weight` */
  readonly weights?: Readonly<Record<string, number>>
  /** Spares these, and looks none of them up. */
  readonly except?: readonly Exception[]
  /** Asks about private and other special addresses too, which leave this host then. @default false */
  readonly includePrivate?: boolean
  /** May use all of a quota: the others leave `reserve` of it. @default false */
  readonly highValue?: boolean
  /** The share of each quota, 0 to 1, that other policies leave to this one, with `highValue`. @default 0.1 with `highValue`, else 0 */
  readonly reserve?: number
  /** Addresses of which this process remembers answers; the largest of a guard's policies holds. @default 50000 */
  readonly maxAddresses?: number
  /** Look-ups at one provider at a time; as with `maxAddresses`. @default 8 */
  readonly concurrency?: number
  /** Look-ups that wait for their turn at one provider; beyond it the oldest is dropped. As with `maxAddresses`. @default 1000 */
  readonly maxQueue?: number
}

const OPTIONS = [
  ...POLICY_OPTIONS,
  'providers',
  'deny',
  'challenge',
  'limit',
  'categories',
  'wait',
  'onUnknown',
  'weights',
  'except',
  'includePrivate',
  'highValue',
  'reserve',
  'maxAddresses',
  'concurrency',
  'maxQueue',
] as const
const SIZES = { maxAddresses: 50_000, concurrency: 8, maxQueue: 1_000 } as const
const ACTIONS: readonly string[] = ['deny', 'challenge', 'limit']
const DENY = 80
const RESERVE = 0.1

export interface CheckedReputation {
  readonly rules: Rules
  readonly limits: BookLimits
  readonly providers: readonly { readonly provider: Provider; readonly weight: number }[]
  /** Milliseconds; Infinity: up to the deadline. */
  readonly wait: number
}

/** @throws {IpGuardError} `IPGUARD_OPTION_UNKNOWN`, `IPGUARD_OPTION_INVALID`, `IPGUARD_REPUTATION_INVALID`, `IPGUARD_DURATION_INVALID` */
export function checkReputationOptions<Facts>(options: ReputationOptions<Facts>): CheckedReputation {
  checkOptions(options, OPTIONS, 'reputation')
  const { wait = false, highValue = false, reserve = RESERVE } = options
  checkChoice('reputation.onUnknown', options.onUnknown, ['allow', 'challenge', 'limit', 'deny'])
  for (const key of ['includePrivate', 'highValue'] as const)
    if (options[key] !== undefined && typeof options[key] !== 'boolean')
      throw invalidOption(`reputation.${key}`, options[key], 'true or false')
  if (!(typeof reserve === 'number' && reserve >= 0 && reserve < 1))
    throw invalidOption('reputation.reserve', reserve, 'a share from 0 to less than 1')
  if (options.reserve !== undefined && !highValue)
    throw invalidOption(
      'reputation.reserve',
      reserve,
      'it on the policy that it is kept for, together with highValue: true',
    )
  const sizes = { ...SIZES }
  for (const key of ['maxAddresses', 'concurrency', 'maxQueue'] as const) {
    const value: number = options[key] ?? SIZES[key]
    checkWhole(`reputation.${key}`, value, 1, 2 ** 24)
    Object.assign(sizes, { [key]: value })
  }
  return {
    rules: checkRules(options),
    limits: { ...sizes, reserve: highValue ? reserve : 0 },
    providers: checkProviders(options),
    wait: typeof wait === 'boolean' ? (wait ? Number.POSITIVE_INFINITY : 0) : parseDuration(wait, 'reputation.wait'),
  }
}

function checkRules({ deny, challenge, limit, categories = {} }: ReputationOptions<never>): Rules {
  const thresholds = Object.entries({ deny, challenge, limit }).filter(([, score]) => score !== undefined)
  for (const [i, [key, score]] of thresholds.entries()) {
    if (!isScore(score, 1)) throw invalidOption(`reputation.${key}`, score, 'a score from 1 to 100')
    const [stronger, above] = thresholds[i - 1] ?? []
    if (above !== undefined && Number(score) >= above)
      throw invalid(
        `reputation.${key} is ${score} and ${stronger} is ${above}, so no client would get ${key}. Write limit below challenge below deny.`,
      )
  }
  checkOptions(categories, CATEGORIES, 'reputation.categories')
  const known: Rules['categories'] = new Map(
    CATEGORIES.flatMap((category) => {
      const value = categories[category]
      if (value === undefined) return []
      if (!isScore(value, 0) && !ACTIONS.includes(value as string)) {
        // `includes` compares; it needs no string
        throw invalidOption(
          `reputation.categories.${category}`,
          value,
          "'deny', 'challenge', 'limit' or a score from 0 to 100",
        )
      }
      return [[category, value] as const]
    }),
  )
  const acts = thresholds.length > 0 || [...known.values()].some((value) => typeof value === 'string')
  const never = Number.POSITIVE_INFINITY
  return {
    deny: deny ?? (acts ? never : DENY),
    challenge: challenge ?? never,
    limit: limit ?? never,
    categories: known,
  }
}

function checkProviders({ providers, weights = {} }: ReputationOptions<never>): CheckedReputation['providers'] {
  if (!Array.isArray(providers) || providers.length === 0 || providers.length > 16)
    throw invalidOption('reputation.providers', providers, 'an array of 1 to 16 providers')
  const all: readonly Provider[] = providers // an array by the line above
  const names = all.map((provider, i) => {
    providerSettings(provider, `reputation.providers[${i}]`)
    return provider.name
  })
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw invalid(
      `reputation.providers has two named ${describe(twice)}. Give each its own name: the cache and the quota go by it.`,
    )
  if (typeof weights !== 'object' || weights === null)
    throw invalidOption('reputation.weights', weights, 'an object like { abuseipdb: 0.8 }')
  for (const [name, weight] of Object.entries(weights)) {
    if (!names.includes(name))
      throw invalid(
        `reputation.weights names ${describe(name)}, and no provider here is called so. Known: ${names.join(', ')}.`,
      )
    checkWeight(weight, `reputation.weights.${name}`)
  }
  return all.map((provider) => ({
    provider,
    weight: (Object.hasOwn(weights, provider.name) ? weights[provider.name] : undefined) ?? provider.weight ?? 1,
  }))
}

function isScore(value: unknown, least: number): value is number {
  return typeof value === 'number' && value >= least && value <= 100
}

function invalid(message: string): IpGuardError {
  return new IpGuardError('IPGUARD_REPUTATION_INVALID', message)
}
