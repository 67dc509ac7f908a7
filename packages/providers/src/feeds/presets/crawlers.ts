import type { Feed } from '../feed.ts'
import { GOOGLE_POINTERS } from './networks.ts'
import { oneOf, type PresetOptions, preset } from './preset.ts'

/** The options of `googleCrawlers`. */
export interface GoogleCrawlersOptions extends PresetOptions {
  /**
   * `common-crawlers` are Googlebot and its kin, which keep to robots.txt; `special-crawlers` work for certain products; fetchers come when a person asks.
   * @default 'common-crawlers'
   */
  readonly which?: GoogleCrawlers
}

/** Which of Google’s fetchers, as Google groups them. */
export type GoogleCrawlers =
  | 'common-crawlers'
  | 'special-crawlers'
  | 'user-triggered-fetchers'
  | 'user-triggered-fetchers-google'

/**
 * Where Google's crawlers and fetchers come from. For `except` and limits; no list of good bots should override a ban that you have put yourself.
 *
 * JSON, refreshed daily. Public.
 *
 * @example
 * createGuard({ policies: [deny(firehol({ level: 2 }), { except: [googleCrawlers()] })] })
 * @throws {IpGuardError} as `feed`
 */
export function googleCrawlers(options: GoogleCrawlersOptions = {}): Feed {
  const which = oneOf<GoogleCrawlers>(
    options.which ?? 'common-crawlers',
    ['common-crawlers', 'special-crawlers', 'user-triggered-fetchers', 'user-triggered-fetchers-google'],
    'googleCrawlers.which',
  )
  return crawler(
    'googleCrawlers',
    options,
    `google-${which}`,
    `https://developers.google.com/static/crawling/ipranges/${which}.json`,
    ['which'],
  )
}

/**
 * Where Googlebot comes from.
 *
 * JSON, refreshed daily. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function googlebot(options: PresetOptions = {}): Feed {
  const url = 'https://developers.google.com/static/crawling/ipranges/common-crawlers.json'
  return crawler('googlebot', options, 'googlebot', url)
}

/**
 * Where Bing's crawler comes from.
 *
 * JSON, refreshed daily. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function bingbot(options: PresetOptions = {}): Feed {
  return crawler('bingbot', options, 'bingbot', 'https://www.bing.com/toolbox/bingbot.json')
}

/**
 * Where DuckDuckGo's crawler comes from.
 *
 * JSON, refreshed daily. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function duckduckbot(options: PresetOptions = {}): Feed {
  return crawler('duckduckbot', options, 'duckduckbot', 'https://duckduckgo.com/duckduckbot.json')
}

/** The options of `openaiCrawlers`. */
export interface OpenaiCrawlersOptions extends PresetOptions {
  /** `gptbot` gathers what models are trained on, `searchbot` what is searched, `chatgpt-user` comes when a person asks. @default 'gptbot' */
  readonly which?: 'gptbot' | 'searchbot' | 'chatgpt-user'
}

/**
 * Where OpenAI's crawlers come from.
 *
 * JSON, refreshed daily. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function openaiCrawlers(options: OpenaiCrawlersOptions = {}): Feed {
  const which = oneOf(options.which ?? 'gptbot', ['gptbot', 'searchbot', 'chatgpt-user'], 'openaiCrawlers.which')
  return crawler('openaiCrawlers', options, `openai-${which}`, `https://openai.com/${which}.json`, ['which'])
}

/**
 * Where Perplexity's crawler comes from.
 *
 * JSON, refreshed daily. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function perplexitybot(options: PresetOptions = {}): Feed {
  return crawler('perplexitybot', options, 'perplexitybot', 'https://www.perplexity.com/perplexitybot.json')
}

/** They all publish as Google does. */
function crawler(
  factory: string,
  options: PresetOptions,
  name: string,
  url: string,
  own: readonly string[] = [],
): Feed {
  return preset({
    factory,
    options,
    own,
    defaults: { name, url, refresh: '1d', format: { type: 'json', pointers: GOOGLE_POINTERS, date: '/creationTime' } },
  })
}
