/**
 * What an address can be, beside a score. Closed, so that `categories: { tor: 'deny' }` is checked by the compiler; providers map their own
 * words to these and leave out what has no counterpart.
 */
export const CATEGORIES = [
  'vpn',
  'proxy',
  'residential-proxy',
  'tor',
  'relay',
  'enterprise-vpn',
  'hosting',
  'crawler',
  'abuse',
  'spam',
  'scanner',
  'brute-force',
  'ddos',
  'phishing',
  'malware',
  'botnet',
] as const

/** What a source says an address is; the same words for all sources. */
export type Category = (typeof CATEGORIES)[number]
