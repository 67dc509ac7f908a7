import { readFileSync } from 'node:fs'
import type { HttpSource } from '@ipguard/conformance'
import type { Provider } from '@ipguard/core'
import { crowdsecCti } from '../src/crowdsec-cti.ts'
import { greynoise } from '../src/greynoise.ts'
import type { HttpProviderOptions } from '../src/http-provider.ts'
import { internetdb } from '../src/internetdb.ts'
import { ipApi } from '../src/ip-api.ts'
import { ip2locationIo } from '../src/ip2location-io.ts'
import { ipapiIs } from '../src/ipapi-is.ts'
import { ipdata } from '../src/ipdata.ts'
import { ipinfo } from '../src/ipinfo.ts'
import { ipqualityscore } from '../src/ipqualityscore.ts'
import { proxycheck } from '../src/proxycheck.ts'
import { stopforumspam } from '../src/stopforumspam.ts'
import { vpnapi } from '../src/vpnapi.ts'

/** A provider, and how its vendor answers: bodies as the vendors' pages show them, with other addresses. */
export interface TestSource extends HttpSource {
  readonly name: string
  readonly create: (options: HttpProviderOptions, key: string) => Provider
}

const stored = new URL('data/cti-smoke-item.json', import.meta.url)
/** An item as the vendor's own tests have it; source and licence stand in the file. */
export const CTI = JSON.parse(readFileSync(stored, 'utf8')) as Readonly<Record<string, unknown>>
export const IPQS = {
  success: true,
  message: 'Success',
  fraud_score: 87,
  country_code: 'DE',
  region: 'Berlin',
  city: 'Berlin',
  zip_code: '10115',
  ISP: 'Example Hosting',
  ASN: 64500,
  organization: 'Example Hosting',
  host: 'tor.example',
  is_crawler: false,
  timezone: 'Europe/Berlin',
  mobile: false,
  proxy: true,
  vpn: false,
  tor: true,
  active_vpn: false,
  active_tor: true,
  recent_abuse: true,
  bot_status: false,
  connection_type: 'Premium required.',
  abuse_velocity: 'Premium required.',
  latitude: 52.5,
  longitude: 13.4,
  request_id: '4DtcQg',
}
const DETECTIONS = {
  proxy: false,
  vpn: true,
  compromised: false,
  scraper: false,
  tor: false,
  hosting: true,
  anonymous: true,
  risk: 66,
  confidence: 100,
  first_seen: '2026-01-02T03:04:05Z',
  last_seen: '2026-11-02T03:04:05Z',
}
export const CLEAN_DETECTIONS = {
  ...DETECTIONS,
  vpn: false,
  hosting: false,
  anonymous: false,
  risk: 0,
  first_seen: null,
  last_seen: null,
}
export const PROXYCHECK = {
  network: { asn: 'AS64500', range: '185.220.101.0/24', hostname: null, provider: 'Example', type: 'Hosting' },
  location: { country_code: 'DE', latitude: '52.5' },
  device_estimate: { address: 1, subnet: 1 },
  detections: DETECTIONS,
  detection_history: null,
  attack_history: null,
  operator: { name: 'Example VPN', url: 'https://vpn.example', anonymity: 'medium', protocols: ['OpenVPN'] },
  last_updated: '2026-11-20T01:02:03Z',
}
export const SECURITY = {
  fraud_score: 73,
  ip: '185.220.101.34',
  country_code: 'DE',
  asn: '64500',
  as: 'Example Hosting',
  is_proxy: true,
  proxy: {
    last_seen: 3,
    proxy_type: 'VPN',
    threat: '-',
    provider: 'Example VPN',
    is_vpn: true,
    is_tor: false,
    is_data_center: true,
    is_public_proxy: false,
    is_web_proxy: false,
    is_web_crawler: false,
    is_residential_proxy: false,
    is_spammer: false,
    is_scanner: false,
    is_botnet: false,
    is_bogon: false,
    is_consumer_privacy_network: false,
    is_enterprise_private_network: false,
  },
}
export const THREAT = {
  is_tor: true,
  is_icloud_relay: false,
  is_proxy: false,
  is_datacenter: true,
  is_anonymous: true,
  is_known_attacker: true,
  is_known_abuser: false,
  is_threat: true,
  is_bogon: false,
  blocklists: [{ name: 'Example List', site: 'https://list.example', type: 'general' }],
}
export const IPAPI_IS = {
  ip: '185.220.101.34',
  rir: 'RIPE',
  is_bogon: false,
  is_mobile: false,
  is_satellite: false,
  is_crawler: false,
  is_datacenter: true,
  is_tor: true,
  is_proxy: false,
  is_vpn: false,
  is_abuser: true,
  datacenter: { datacenter: 'Example Hosting', network: '185.220.101.0/24' },
  company: { name: 'Example', abuser_score: '0.0045 (Low)', domain: 'hosting.example', type: 'hosting' },
  asn: { asn: 64500, abuser_score: '0.0098 (Elevated)', type: 'hosting' },
  elapsed_ms: 0.6,
}
export const GREYNOISE = {
  ip: '185.220.101.34',
  noise: true,
  riot: false,
  classification: 'malicious',
  name: 'unknown',
  link: 'https://viz.greynoise.io/ip/185.220.101.34',
  last_seen: '2026-01-02',
  message: 'Success',
}

const allFalse = <T extends object>(flags: T): Record<string, unknown> =>
  Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, value === true ? false : value]))
const pick = (text: string): { body: unknown } => ({ body: { message: text } })

export const httpSources: readonly TestSource[] = [
  {
    name: 'ipqualityscore',
    create: (options, key) => ipqualityscore({ ...options, key }),
    listed: () => ({ body: IPQS }),
    unlisted: () => ({ body: { ...allFalse(IPQS), success: true, fraud_score: 0 } }),
    quota: {
      body: { success: false, message: 'You have exceeded your request quota of 35 per day.', request_id: 'a' },
    },
    refused: { body: { success: false, message: 'Invalid or unauthorized key. Please check it.', request_id: 'a' } },
    wrong: [
      { body: { ...IPQS, fraud_score: 'high' } },
      { body: { ...IPQS, fraud_score: 101 } },
      { body: { success: true } },
    ],
  },
  {
    name: 'proxycheck',
    create: (options, key) => proxycheck({ ...options, key }),
    listed: (ip) => ({ body: { status: 'ok', [ip]: PROXYCHECK, query_time: 3 } }),
    unlisted: (ip) => ({
      body: {
        status: 'ok',
        [ip]: { ...PROXYCHECK, network: null, operator: null, detections: CLEAN_DETECTIONS },
        query_time: 3,
      },
    }),
    quota: { status: 403, body: { status: 'denied', message: '1,000 free queries exhausted. Please try tomorrow.' } },
    refused: { status: 403, body: { status: 'denied', message: 'Your access to the API has been disabled.' } },
    wrong: [{ body: { status: 'ok' } }, { body: { status: 'ok', '9.9.9.10': PROXYCHECK } }],
  },
  {
    name: 'proxycheck, version 2',
    create: (options, key) => proxycheck({ ...options, key, version: 2 }),
    listed: (ip) => ({
      body: { status: 'ok', [ip]: { proxy: 'yes', type: 'SOCKS5', risk: '73' }, 'query time': '0.01s' },
    }),
    unlisted: (ip) => ({ body: { status: 'ok', [ip]: { proxy: 'no', type: 'Business', risk: 0 } } }),
    quota: { status: 429, body: { status: 'denied', message: 'Over 200 requests per second.' } },
    refused: { status: 401, body: { status: 'denied', message: 'The key is wrong.' } },
    wrong: [{ body: { status: 'ok', '185.220.101.34': { proxy: 'N/A' } } }],
  },
  {
    name: 'ipinfo',
    create: (options, key) => ipinfo({ ...options, key, plan: 'plus' }),
    listed: (ip) => ({
      body: {
        ip,
        geo: { country_code: 'DE' },
        anonymous: { name: 'Example VPN', is_proxy: false, is_relay: false, is_tor: false, is_vpn: true },
        is_anonymous: true,
        is_hosting: true,
        is_mobile: false,
      },
    }),
    unlisted: (ip) => ({ body: { ip, anonymous: { is_vpn: false }, is_anonymous: false, is_hosting: false } }),
    refused: {
      status: 403,
      body: { status: 403, error: { title: 'Unknown token', message: 'Please provide a valid one.' } },
    },
    wrong: [{ body: { ip: '185.220.101.34', asn: 'AS64500', country_code: 'DE' } }],
  },
  {
    name: 'ip2location-io',
    create: (options, key) => ip2locationIo({ ...options, key }),
    listed: (ip) => ({ body: { ...SECURITY, ip } }),
    unlisted: (ip) => ({ body: { ip, country_code: 'CH', is_proxy: false } }),
    refused: { status: 401, body: { error: { error_code: 10_001, error_message: 'API key not found.' } } },
    wrong: [{ body: { ip: '185.220.101.34', is_proxy: 'maybe' } }],
  },
  {
    name: 'ip-api',
    create: (options, key) => ipApi({ ...options, key }),
    listed: (ip) => ({ body: { status: 'success', proxy: true, hosting: true, mobile: false, query: ip } }),
    unlisted: (ip) => ({ body: { status: 'success', proxy: false, hosting: false, mobile: false, query: ip } }),
    wrong: [{ body: { status: 'success', countryCode: 'DE' } }],
  },
  {
    name: 'ip-api, free plan',
    create: (options) => ipApi({ ...options, plan: 'free', plainHttp: true }),
    listed: (ip) => ({
      headers: { 'x-rl': '44', 'x-ttl': '60' },
      body: { status: 'success', proxy: true, hosting: true, query: ip },
    }),
    unlisted: (ip) => ({
      headers: { 'x-rl': '44', 'x-ttl': '60' },
      body: { status: 'success', proxy: false, hosting: false, query: ip },
    }),
    refused: { status: 403, body: { status: 'fail', message: 'SSL unavailable for this endpoint, order a key' } },
  },
  {
    name: 'ipdata',
    create: (options, key) => ipdata({ ...options, key }),
    listed: (ip) => ({ body: { ip, threat: THREAT, count: '42' } }),
    unlisted: (ip) => ({ body: { ip, threat: { ...allFalse(THREAT), blocklists: [] }, count: '42' } }),
    quota: { status: 403, body: pick('You have exceeded your quota.').body },
    refused: { status: 401, body: { message: 'You have not provided a valid API Key.' } },
    wrong: [{ body: { ip: '185.220.101.34', count: '42' } }, { body: { threat: {} } }, { body: { threat: 'none' } }],
  },
  {
    name: 'ipapi-is',
    create: (options, key) => ipapiIs({ ...options, key }),
    listed: (ip) => ({ body: { ...IPAPI_IS, ip } }),
    unlisted: (ip) => ({ body: { ...allFalse(IPAPI_IS), ip } }),
    wrong: [{ body: { ip: '185.220.101.34', elapsed_ms: 1 } }],
  },
  {
    name: 'vpnapi',
    create: (options, key) => vpnapi({ ...options, key }),
    listed: (ip) => ({
      body: {
        ip,
        security: { vpn: true, proxy: false, tor: false, relay: false },
        location: { city: '', country: 'Germany', country_code: 'DE' },
        network: { autonomous_system_number: 'AS64500', autonomous_system_organization: 'EXAMPLE' },
      },
    }),
    unlisted: (ip) => ({ body: { ip, security: { vpn: false, proxy: false, tor: false, relay: false } } }),
    quota: pick('You have exceeded the daily limit.'),
    refused: pick('Invalid API Key.'),
    wrong: [{ body: { security: {} } }],
  },
  {
    name: 'greynoise',
    create: (options, key) => greynoise({ ...options, key }),
    listed: (ip) => ({ body: { ...GREYNOISE, ip } }),
    unlisted: (ip) => ({ status: 404, body: { ip, noise: false, riot: false, message: 'IP not observed scanning.' } }),
    quota: { status: 429, body: { plan: 'unauthenticated', 'rate-limit': '100-lookups/day', message: 'Too many.' } },
    refused: { status: 401, body: { message: 'unauthorized' } },
    wrong: [{ body: { ip: '185.220.101.34', message: 'Success' } }],
  },
  {
    name: 'crowdsec-cti',
    create: (options, key) => crowdsecCti({ ...options, key }),
    listed: (ip) => ({ body: { ...CTI, ip, ip_range: '185.220.101.0/24' } }),
    unlisted: () => ({ status: 404, body: { message: 'IP address information not found' } }),
    refused: { status: 403, body: { message: 'Forbidden' } },
    wrong: [{ body: { ip: '185.220.101.34', scores: { overall: { total: 6 } } } }],
  },
  {
    name: 'stopforumspam',
    create: (options, key) => stopforumspam({ ...options, reporting: { key, account: () => undefined } }),
    listed: (ip) => ({
      body: {
        success: 1,
        ip: { value: ip, appears: 1, frequency: 12, lastseen: '2026-01-02 03:04:05', confidence: 83.1, country: 'de' },
      },
    }),
    unlisted: (ip) => ({ body: { success: 1, ip: { value: ip, appears: 0, frequency: 0 } } }),
    quota: { body: { success: 0, error: 'rate limit exceeded' } },
    wrong: [{ body: { success: 1 } }, { body: { success: 1, ip: {} } }],
  },
  {
    name: 'internetdb',
    create: (options) => internetdb(options),
    listed: (ip) => ({
      headers: { 'cache-control': 'public, max-age=43200' },
      body: { ip, ports: [443, 1194], cpes: [], hostnames: ['vpn.example'], tags: ['vpn', 'self-signed'], vulns: [] },
    }),
    unlisted: () => ({ status: 404, body: { detail: 'No information available' } }),
    wrong: [{ body: { detail: 'Something else' } }],
  },
]
