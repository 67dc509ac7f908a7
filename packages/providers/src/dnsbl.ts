export type { DnsblCodes, DnsblErrors } from './dnsbl-codes.ts'
export {
  blocklistDe,
  type DnsblPresetOptions,
  type SpamhausDqsOptions,
  spamhausDqs,
  spamhausZen,
  torDnsel,
} from './dnsbl-presets.ts'
export type { DnsblProbe } from './dnsbl-probe.ts'
export { type DnsblOptions, dnsbl } from './dnsbl-provider.ts'
export type { DnsOptions, DnsRecord, DnsResolve } from './dnsbl-resolver.ts'
export type { Listing } from './listing.ts'
