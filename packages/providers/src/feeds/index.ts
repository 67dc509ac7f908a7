export { type Feed, feed } from './feed.ts'
export type { FeedCache, FeedOptions } from './feed-options.ts'
export type {
  FeedEvents,
  FeedFailed,
  FeedLoaded,
  FeedOutcome,
  FeedRefused,
  FeedSkipped,
  FeedStatus,
  FeedUnchanged,
  FeedWarning,
} from './feed-status.ts'
export type { CsvFormat, FeedFormat, FeedRecord, JsonFormat, NdjsonFormat, TextFormat } from './formats/feed-format.ts'
export { icloudPrivateRelay, torExits, type X4bnetOptions, x4bnet } from './presets/anonymizers.ts'
export {
  type BlocklistDeOptions,
  blocklistDe,
  cins,
  etCompromised,
  type FireholOptions,
  feodo,
  firehol,
  type IpsumOptions,
  ipsum,
  ipwhoisFeed,
  type SpamhausDropOptions,
  spamhausDrop,
} from './presets/attackers.ts'
export {
  bingbot,
  duckduckbot,
  type GoogleCrawlers,
  type GoogleCrawlersOptions,
  googlebot,
  googleCrawlers,
  type OpenaiCrawlersOptions,
  openaiCrawlers,
  perplexitybot,
} from './presets/crawlers.ts'
export {
  type AwsOptions,
  type AzureOptions,
  aws,
  azure,
  type CloudflareRangesOptions,
  cloudflareRanges,
  fastlyRanges,
  type GithubOptions,
  gcp,
  github,
  googleAll,
} from './presets/networks.ts'
export type { PresetOptions } from './presets/preset.ts'
export type { FeedBody } from './read-pieces.ts'
export type { RefusalReason } from './refusal.ts'
