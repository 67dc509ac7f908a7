import { checkOptions, type Duration, invalidOption, parseDuration } from '@ipguard/core'
import { createFeed, type Feed } from '../feed.ts'
import { FEED_OPTIONS, type FeedOptions } from '../feed-options.ts'

/** What every preset takes: all of `feed` but the format; what is not given is as the list needs it. */
export type PresetOptions = Partial<Omit<FeedOptions, 'format'>>

/** What makes one list different from another. */
export interface PresetSpec {
  /** The factory's name, for errors. */
  readonly factory: string
  readonly options: PresetOptions
  /** Options of this factory beside those of every preset. */
  readonly own?: readonly string[]
  readonly defaults: FeedOptions
  /** How often the list's own server lets itself be asked. */
  readonly least?: Duration
}

const COMMON = FEED_OPTIONS.filter((option) => option !== 'format')

/** A feed with the settings of a list that is known. */
export function preset({ factory, options, own = [], defaults, least }: PresetSpec): Feed {
  checkOptions(options, [...own, ...COMMON], factory)
  const given = Object.fromEntries(
    Object.entries(options).filter(([key, value]) => !own.includes(key) && value !== undefined),
  )
  const { url, ...others } = defaults
  const isElsewhere = ['url', 'file', 'source'].some((key) => key in given)
  if (isElsewhere || least === undefined) {
    return createFeed({ ...others, ...(!isElsewhere && url !== undefined && { url }), ...given }, factory)
  }
  const refresh = parseDuration(options.refresh ?? defaults.refresh ?? '1d', `${factory}.refresh`)
  const minInterval = Math.max(
    parseDuration(least, factory),
    parseDuration(options.minInterval ?? least, `${factory}.minInterval`),
  )
  if (refresh < minInterval) {
    throw invalidOption(
      `${factory}.refresh`,
      options.refresh,
      `at least '${least}': the source does not let itself be asked more often`,
    )
  }
  return createFeed({ ...defaults, ...given, minInterval }, factory)
}

/** @throws {IpGuardError} `IPGUARD_OPTION_INVALID` unless it is one of the choices. */
export function oneOf<Choice extends string | number>(
  value: unknown,
  choices: readonly Choice[],
  option: string,
): Choice {
  const found = choices.find((choice) => choice === value)
  if (found !== undefined) return found
  throw invalidOption(option, value, choices.map((choice) => JSON.stringify(choice).replaceAll('"', "'")).join(' or '))
}

/** @throws {IpGuardError} `IPGUARD_OPTION_INVALID` unless it is an array of texts, or absent. */
export function textsOf(value: readonly string[] | undefined, option: string): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string' && each !== '')) {
    return new Set(value)
  }
  throw invalidOption(option, value, 'an array of at least one text')
}
