/** A crawler whose operator says by which names its addresses are known. */
export interface Crawler {
  readonly name: string
  /** What its User-Agent contains, in lower case. */
  readonly agents: readonly string[]
  /** Domains that only its operator names hosts in, or masks for the first label, like `crawl-*.example.com`. */
  readonly suffixes: readonly string[]
}

/** The crawlers that come with the package, by the names that their operators give them. */
export type CrawlerName = 'google' | 'bing' | 'apple' | 'yandex' | 'baidu'

/**
 * The rules that the operators publish, as read in November 2026. Each of them asks for the name to be confirmed forward.
 *
 * - Google: developers.google.com/crawling/docs/crawlers-fetchers/verifying-googlebot, its common and special-case crawlers. Fetches that
 *   somebody else triggers (`google-proxy-*.google.com`) or programs (`gae.googleusercontent.com`, where anyone's code runs) are left out.
 * - Bing: bing.com/webmaster/help/how-to-verify-bingbot-3905dc26
 * - Apple: support.apple.com/en-us/119829
 * - Yandex: yandex.com/support/webmaster/robot-workings/check-yandex-robots.html
 * - Baidu: its webmaster pages, `*.baidu.com` and `*.baidu.jp`
 *
 * DuckDuckBot and the crawlers of OpenAI and Perplexity publish ranges and no names.
 */
export const CRAWLERS: Readonly<Record<CrawlerName, Omit<Crawler, 'name'>>> = {
  google: {
    agents: [
      'googlebot',
      'googleother',
      'google-inspectiontool',
      'google-cloudvertexbot',
      'storebot-google',
      'adsbot-google',
      'mediapartners-google',
      'apis-google',
      'google-safety',
    ],
    suffixes: ['googlebot.com', 'rate-limited-proxy-*.google.com'],
  },
  bing: { agents: ['bingbot', 'adidxbot', 'bingpreview', 'microsoftpreview'], suffixes: ['search.msn.com'] },
  apple: { agents: ['applebot'], suffixes: ['applebot.apple.com'] },
  // Each of its many agents names this page.
  yandex: { agents: ['yandex.com/bots'], suffixes: ['yandex.ru', 'yandex.net', 'yandex.com'] },
  baidu: { agents: ['baiduspider'], suffixes: ['baidu.com', 'baidu.jp'] },
}
