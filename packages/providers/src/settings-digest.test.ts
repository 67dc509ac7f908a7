import { createGuard, reputation } from '@ipguard/core'
import { expect, it } from 'vitest'
import { crowdsec } from './crowdsec.ts'
import { dnsbl, spamhausZen } from './dnsbl.ts'
import { FLAG_SCORES } from './flag-score.ts'
import { httpbl } from './httpbl.ts'
import { internetdb } from './internetdb.ts'
import { ipApi } from './ip-api.ts'
import { ip2locationIo } from './ip2location-io.ts'
import { ipapiIs } from './ipapi-is.ts'
import { ipasis } from './ipasis.ts'
import { ipdata } from './ipdata.ts'
import { ipinfo } from './ipinfo.ts'
import { proxycheck } from './proxycheck.ts'
import { settingsDigest } from './settings-digest.ts'
import { stopforumspam } from './stopforumspam.ts'
import { vpnapi } from './vpnapi.ts'

it('is short, the same for the same settings, and another for others', () => {
  const all = [undefined, {}, [], ['a'], ['b'], [{ a: 1 }], [{ a: 2 }], ['x'.repeat(5_000)], ['x'.repeat(5_001)]]
  const digests = all.map(settingsDigest)
  expect(new Set(digests).size).toBe(all.length)
  for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{16}$/)
  expect(settingsDigest([{ a: 1 }])).toBe(settingsDigest([{ a: 1 }]))
})

it('tells the settings of providers apart that change answers, and says nothing of a key', () => {
  const url = 'http://127.0.0.1:8080'
  const versions = [
    crowdsec({ url, key: 'a' }),
    crowdsec({ url, key: 'a', types: { captcha: 5 } }),
    crowdsec({ url: 'http://127.0.0.1:8081', key: 'a' }),
    dnsbl({ zone: 'a.test' }),
    dnsbl({ zone: 'b.test' }),
    dnsbl({ zone: 'a.test', codes: { '127.0.0.2': 1 } }),
    spamhausZen(),
    httpbl({ key: 'abcdefghijkl' }),
    httpbl({ key: 'abcdefghijkl', maxAge: 1 }),
  ].map(({ version }) => version)
  expect(new Set(versions).size).toBe(versions.length)
  expect(crowdsec({ url, key: 'b' }).version).toBe(versions[0])
  expect(httpbl({ key: 'bbbbbbbbbbbb' }).version).toBe(versions[7])
})

const key = 'abcdefgh'

it.each([
  ['internetdb', internetdb],
  ['ip-api', (options: object) => ipApi({ key, ...options })],
  ['ip2location-io', ip2locationIo],
  ['ipapi-is', ipapiIs],
  ['ipasis', (options: object) => ipasis({ key, ...options })],
  ['ipdata', (options: object) => ipdata({ key, ...options })],
  ['ipinfo', (options: object) => ipinfo({ key, ...options })],
  ['proxycheck', proxycheck],
  ['stopforumspam', stopforumspam],
  ['vpnapi', (options: object) => vpnapi({ key, ...options })],
] as const)('%s takes a whole table of scores, in any order', async (_, create) => {
  const table = { ...FLAG_SCORES, vpn: 61 }
  const provider = create({ scores: table })
  await createGuard({ policies: [reputation({ providers: [provider] })] }).close()
  const turned = Object.fromEntries(Object.entries(table).toReversed())
  expect(create({ scores: turned }).version).toBe(provider.version)
  expect(create({ scores: { ...table, vpn: 62 } }).version).not.toBe(provider.version)
})
