import { fileURLToPath } from 'node:url'
import { providerSuite } from '@ipguard/conformance'
import { type Rbldnsd, startRbldnsd } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dnsbl } from '../src/dnsbl.ts'
import { httpbl } from '../src/httpbl.ts'
import { list } from '../src/list.ts'
import { mmdb } from '../src/mmdb.ts'

const NOBODY = '127.0.0.1:1'
const NAMES = 'a name server is asked, and not over HTTP'

describe('with a real name server', () => {
  let server: Rbldnsd
  beforeAll(async () => {
    server = await startRbldnsd({
      zones: [
        { name: 'list.test', type: 'ip4set', data: '$TTL 300\n:127.0.0.2:text $\n127.0.0.2\n185.220.101.34\n' },
        { name: 'list.test', type: 'ip6trie', data: '$TTL 300\n:127.0.0.2:text $\n2620:7:6001::/48\n' },
        { name: 'honey.test', type: 'generic', data: 'abcdefghijkl.34.101.220.185 300 A 127.3.45.5\n' },
      ],
    })
  }, 300_000)
  afterAll(() => server.stop())

  /** The server in that state, as a provider's option; `thaw` afterwards. */
  function inState(state: string): readonly string[] {
    if (state === 'silent') server.freeze()
    return [state === 'failing' ? NOBODY : server.address]
  }

  describe('dnsbl', () => {
    providerSuite({
      test,
      expect,
      create: ({ state, timeout }) => ({
        ...dnsbl({ zone: 'list.test', servers: inState(state), timeout }),
        close: () => server.thaw(),
      }),
      capabilities: { http: NAMES, garbled: 'an answer is an address; tests of its own give others' },
    })
  })

  describe('httpbl', () => {
    providerSuite({
      test,
      expect,
      create: ({ state, timeout }) => ({
        ...httpbl({ key: 'abcdefghijkl', zone: 'honey.test', servers: inState(state), timeout }),
        close: () => server.thaw(),
      }),
      capabilities: { http: NAMES, garbled: 'an answer is an address; tests of its own give others' },
    })
  })
})

describe('mmdb', () => {
  providerSuite({
    test,
    expect,
    addresses: { listed: '81.2.69.160', unlisted: '8.8.8.8', ipv6: '2001:480:3a::1' },
    create: async () => {
      const file = fileURLToPath(new URL('data/maxmind/GeoIP2-Anonymous-IP-Test.mmdb', import.meta.url))
      const provider = mmdb({ file })
      await provider.start()
      return provider
    },
    capabilities: {
      http: 'it reads a file',
      network: 'a look-up asks nobody',
      garbled: 'a damaged file is not opened; tests of its own damage it',
    },
  })
})

describe('list', () => {
  providerSuite({
    test,
    expect,
    create: () => list({ list: ['185.220.101.0/24', '2620:7:6001::/48'] }),
    capabilities: {
      http: 'it reads memory',
      network: 'a look-up asks nobody',
      garbled: 'what cannot be read is refused when the list is made',
    },
  })
})
