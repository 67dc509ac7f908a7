import { expect, it } from 'vitest'
import { crowdsec } from './crowdsec.ts'
import { dnsbl, spamhausZen } from './dnsbl.ts'
import { httpbl } from './httpbl.ts'
import { settingsDigest } from './settings-digest.ts'

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
