import { cloudflareRanges } from '../client-ip/presets/cloudflare-ranges.gen.ts'
import { fastlyRanges } from '../client-ip/presets/fastly-ranges.gen.ts'
import { googleFrontEnds } from '../client-ip/presets/load-balancer-presets.ts'
import type { Address } from '../ip/address.ts'
import { type IpSet, ipSet } from '../ip/ip-set.ts'

/** Loopback, private, shared (CGNAT), link-local and unique-local (RFC 6890, RFC 4193). */
const LOCAL = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1',
  'fe80::/10',
  'fc00::/7',
]

let shipped: IpSet | undefined

/** What a ladder never bans: an undeclared proxy must not lock everybody out. */
export function isInfrastructure(trust: IpSet | undefined): (address: Address) => boolean {
  return (address) => {
    shipped ??= ipSet([...LOCAL, ...cloudflareRanges, ...fastlyRanges, ...googleFrontEnds])
    return shipped.hasAddress(address) || trust?.hasAddress(address) === true
  }
}
