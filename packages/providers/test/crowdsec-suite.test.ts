import { providerSuite } from '@ipguard/conformance'
import { type CrowdsecServer, startCrowdsec } from '@ipguard/tools'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crowdsec } from '../src/crowdsec.ts'

const KEY = 'key-of-the-suite'
const LISTED = '185.220.101.34'

describe('crowdsec, live, with a stand-in', () => {
  providerSuite({
    test,
    expect,
    create: ({ baseUrl, timeout, key }) => crowdsec({ url: baseUrl, timeout, key }),
    http: {
      listed: (ip) => ({
        body: [
          { duration: '3h59m55.8s', id: 1, origin: 'cscli', scenario: 'test', scope: 'Ip', type: 'ban', value: ip },
        ],
      }),
      unlisted: () => ({ body: 'null' }),
      refused: { status: 403, body: { message: 'access forbidden' } },
      meaningful: ['null', '[]'],
      wrong: [
        { body: [null] },
        { body: [{ scope: 'Ip' }] },
        { body: [{ scope: 'Ip', type: 'ban', value: '1.2.3.4' }] },
      ],
    },
  })
})

describe('crowdsec with a real Local API', () => {
  let lapi: CrowdsecServer
  beforeAll(async () => {
    lapi = await startCrowdsec({ bouncers: { live: KEY, stream: `${KEY}-stream` } })
    await lapi.cscli(['decisions', 'add', '--ip', LISTED, '--duration', '4h'])
    await lapi.cscli(['decisions', 'add', '--range', '2620:7:6001::/48', '--duration', '4h'])
  }, 300_000)
  afterAll(() => lapi.stop())

  describe('live', () => {
    /** What the server says in its log that it was asked, and how much of that was before the case. */
    const asked = (): readonly string[] =>
      [...lapi.output().matchAll(/GET (\/v1\/decisions\?ip=\S+)/g)].map(([, url]) => url ?? '')
    let before = 0

    providerSuite({
      test,
      expect,
      create: ({ state, timeout }) => {
        before = asked().length
        if (state === 'silent') lapi.freeze()
        const url = state === 'failing' ? 'http://127.0.0.1:1' : lapi.url
        return { ...crowdsec({ url, key: KEY, timeout }), close: () => lapi.thaw() }
      },
      asked: () => asked().slice(before),
      capabilities: {
        http: 'a real server cannot be made to answer wrongly; the stand-in can',
        garbled: 'a real server sends what can be read',
      },
    })
  })

  describe('stream', () => {
    providerSuite({
      test,
      expect,
      create: async () => {
        const provider = crowdsec({ url: lapi.url, key: `${KEY}-stream`, mode: 'stream' })
        await provider.start()
        return provider
      },
      capabilities: {
        http: 'it answers from memory',
        network: 'a look-up asks nobody',
        garbled: 'what is pulled is read before any look-up; tests of its own damage it',
      },
    })
  })
})
