import { invalidOption } from '@ipguard/core'
import type { Feed } from '../feed.ts'
import type { JsonFormat } from '../formats/feed-format.ts'
import { oneOf, type PresetOptions, preset, textsOf } from './preset.ts'

/** What Google publishes is alike everywhere; where the crawlers are too. */
export const GOOGLE_POINTERS: readonly string[] = ['/prefixes/*/ipv4Prefix', '/prefixes/*/ipv6Prefix']

/** The options of `aws`. */
export interface AwsOptions extends PresetOptions {
  /** Such as 'EC2' or 'CLOUDFRONT'. @default all */
  readonly services?: readonly string[]
  /** Such as 'eu-west-1' or 'GLOBAL'. @default all */
  readonly regions?: readonly string[]
}

/**
 * Amazon's networks, labelled with the service.
 *
 * JSON of about 2 MB, which changes several times a week; refreshed daily. Public.
 *
 * @example
 * aws({ services: ['EC2'], regions: ['eu-west-1'] })
 * @throws {IpGuardError} as `feed`
 */
export function aws(options: AwsOptions = {}): Feed {
  const services = textsOf(options.services, 'aws.services')
  const regions = textsOf(options.regions, 'aws.regions')
  const isIn = (set: ReadonlySet<string> | undefined, value: unknown): boolean =>
    set === undefined || (typeof value === 'string' && set.has(value))
  return preset({
    factory: 'aws',
    options,
    own: ['services', 'regions'],
    defaults: {
      name: 'aws',
      url: 'https://ip-ranges.amazonaws.com/ip-ranges.json',
      refresh: '1d',
      format: {
        type: 'json',
        pointers: ['/prefixes/*/ip_prefix', '/ipv6_prefixes/*/ipv6_prefix'],
        where: ({ service, region }) => isIn(services, service) && isIn(regions, region),
        label: '/service',
      },
    },
  })
}

/**
 * Networks of Google Cloud's customers, labelled with the region.
 *
 * JSON, refreshed daily. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function gcp(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'gcp',
    options,
    defaults: {
      name: 'gcp',
      url: 'https://www.gstatic.com/ipranges/cloud.json',
      refresh: '1d',
      format: { type: 'json', pointers: GOOGLE_POINTERS, label: '/scope', date: '/creationTime' },
    },
  })
}

/**
 * All of Google's networks, its own services and Cloud's customers together.
 *
 * JSON, refreshed daily. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function googleAll(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'googleAll',
    options,
    defaults: {
      name: 'google-all',
      url: 'https://www.gstatic.com/ipranges/goog.json',
      refresh: '1d',
      format: { type: 'json', pointers: GOOGLE_POINTERS, date: '/creationTime' },
    },
  })
}

/** The options of `azure`. */
export interface AzureOptions extends PresetOptions {
  /** The service tag, such as 'AzureCloud' or 'AzureFrontDoor.Frontend'. @default 'AzureCloud' */
  readonly tag?: string
}

/**
 * Microsoft's networks by service tag, IPv4 and IPv6.
 *
 * The JSON file has a new name every week (`ServiceTags_Public_<date>.json`, linked on Microsoft's download page 56519): pass where yours is as
 * `url` or `file`. New ranges are not used for a week, so a weekly download is in time. Public.
 *
 * @example
 * azure({ file: '/var/lib/app/ServiceTags_Public.json', tag: 'AzureCloud' })
 * @throws {IpGuardError} as `feed`
 */
export function azure(options: AzureOptions): Feed {
  const { tag = 'AzureCloud' } = options
  if (typeof tag !== 'string' || tag === '') throw invalidOption('azure.tag', tag, "a service tag, like 'AzureCloud'")
  return preset({
    factory: 'azure',
    options,
    own: ['tag'],
    defaults: {
      name: 'azure',
      refresh: '1d',
      format: {
        type: 'json',
        pointers: ['/values/*/properties/addressPrefixes/*'],
        where: ({ name }) => name === tag,
        label: '/name',
      },
    },
  })
}

/** The options of `cloudflareRanges`. */
export interface CloudflareRangesOptions extends PresetOptions {
  /** The text list of one family. @default both families, from Cloudflare's API */
  readonly version?: 4 | 6
}

/**
 * Cloudflare's own networks: where requests through it come from. The preset `cloudflare()` of core holds them too, as of its release.
 *
 * JSON, or text for one family; refreshed daily, and changed rarely. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function cloudflareRanges(options: CloudflareRangesOptions = {}): Feed {
  const version = options.version === undefined ? undefined : oneOf(options.version, [4, 6], 'cloudflareRanges.version')
  const format: JsonFormat = { type: 'json', pointers: ['/result/ipv4_cidrs/*', '/result/ipv6_cidrs/*'] }
  return preset({
    factory: 'cloudflareRanges',
    options,
    own: ['version'],
    defaults:
      version === undefined
        ? { name: 'cloudflare', url: 'https://api.cloudflare.com/client/v4/ips', refresh: '1d', format }
        : { name: `cloudflare-v${version}`, url: `https://www.cloudflare.com/ips-v${version}`, refresh: '1d' },
  })
}

/**
 * Fastly's own networks: where requests through it come from.
 *
 * JSON, refreshed daily, and changed rarely. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function fastlyRanges(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'fastlyRanges',
    options,
    defaults: {
      name: 'fastly',
      url: 'https://api.fastly.com/public-ip-list',
      refresh: '1d',
      format: { type: 'json', pointers: ['/addresses/*', '/ipv6_addresses/*'] },
    },
  })
}

/** The options of `github`. */
export interface GithubOptions extends PresetOptions {
  /** What the machines do: 'hooks', 'web', 'api', 'git', 'pages', 'actions' and others. @default ['hooks'] */
  readonly keys?: readonly string[]
}

/**
 * GitHub's networks; by default those that web hooks come from.
 *
 * JSON, refreshed daily; without a token GitHub answers 60 times an hour (`headers: { authorization }` raises that). Public.
 *
 * @example
 * createGuard({ policies: [onlyAllow(github(), { when: onPaths('/hooks/github') })] })
 * @throws {IpGuardError} as `feed`
 */
export function github(options: GithubOptions = {}): Feed {
  const keys = textsOf(options.keys ?? ['hooks'], 'github.keys') ?? []
  return preset({
    factory: 'github',
    options,
    own: ['keys'],
    least: '5m',
    defaults: {
      name: 'github',
      url: 'https://api.github.com/meta',
      refresh: '1d',
      format: {
        type: 'json',
        pointers: [...keys].map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}/*`),
        // Keys and domain names stand beside the networks.
        others: 'skip',
      },
    },
  })
}
