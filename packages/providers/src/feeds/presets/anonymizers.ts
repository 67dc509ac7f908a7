import type { Feed } from '../feed.ts'
import { oneOf, type PresetOptions, preset } from './preset.ts'

/**
 * Exits of the Tor network. Many who use it do no harm: a challenge or a lower limit is often enough.
 *
 * Text of bare addresses, refreshed hourly. Free; be gentle with the server.
 *
 * @throws {IpGuardError} as `feed`
 */
export function torExits(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'torExits',
    options,
    least: '30m',
    defaults: { name: 'tor-exits', url: 'https://check.torproject.org/torbulkexitlist', refresh: '1h' },
  })
}

/** The options of `x4bnet`. */
export interface X4bnetOptions extends PresetOptions {
  readonly list: 'vpn' | 'datacenter'
  /** @default 4 */
  readonly version?: 4 | 6
}

/**
 * X4BNet's networks of VPN services, or of data centers (which include them).
 *
 * Text of CIDR blocks; about 11,000 of VPN and 42,000 of data centers for IPv4. Rebuilt daily at 08:45 UTC. MIT licence.
 *
 * @throws {IpGuardError} as `feed`
 */
export function x4bnet(options: X4bnetOptions): Feed {
  // Absent without TypeScript.
  const list = oneOf((options as X4bnetOptions | undefined)?.list ?? '', ['vpn', 'datacenter'], 'x4bnet.list')
  const version = oneOf(options.version ?? 4, [4, 6], 'x4bnet.version')
  return preset({
    factory: 'x4bnet',
    options,
    own: ['list', 'version'],
    defaults: {
      name: `x4bnet-${list}-v${version}`,
      url: `https://raw.githubusercontent.com/X4BNet/lists_vpn/main/output/${list}/ipv${version}.txt`,
      refresh: '1d',
    },
  })
}

/**
 * Egress of iCloud Private Relay: people who use Apple's relay, labelled with the country that Apple names. Not for denying.
 *
 * CSV, long, refreshed daily. Public.
 *
 * @throws {IpGuardError} as `feed`
 */
export function icloudPrivateRelay(options: PresetOptions = {}): Feed {
  return preset({
    factory: 'icloudPrivateRelay',
    options,
    defaults: {
      name: 'icloud-private-relay',
      url: 'https://mask-api.icloud.com/egress-ip-ranges.csv',
      refresh: '1d',
      format: { type: 'csv', column: 0, label: 1 },
    },
  })
}
