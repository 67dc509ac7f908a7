import { createGuard, type Guard, type Provider, reputation } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { type CrowdsecServer, startCrowdsec, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { request } from '../../core/test/test-guard.ts'
import { crowdsec } from '../src/crowdsec.ts'
import { list } from '../src/list.ts'

let lapi: CrowdsecServer
beforeAll(async () => {
  lapi = await startCrowdsec({ bouncers: { a: 'key-of-a', b: 'key-of-b', c: 'key-of-c' } })
  await lapi.cscli(['decisions', 'add', '--ip', '1.2.3.4', '--duration', '4h'])
  await lapi.cscli(['decisions', 'add', '--range', '2620:7:6001::/48', '--duration', '4h', '--type', 'captcha'])
}, 300_000)
afterAll(() => lapi.stop())

function guardWith(...providers: readonly Provider[]): Guard {
  const guard = createGuard({
    store: memoryStore(),
    policies: [reputation({ providers, challenge: 50, deny: 80 })],
  })
  onTestFinished(async () => guard.close())
  return guard
}

async function actions(guard: Guard, ips: readonly string[]): Promise<readonly string[]> {
  const decisions = []
  for (const peer of ips) decisions.push(await guard.check(request(), { peer }))
  return decisions.map(({ action }) => action)
}

it('a stream denies in the first request of an address that is banned', async () => {
  const decisions = crowdsec({ url: lapi.url, key: 'key-of-a', mode: 'stream' })
  await decisions.start()
  const guard = guardWith(decisions)
  expect(await actions(guard, ['1.2.3.4', '2620:7:6001::1', '9.9.9.9'])).toEqual(['deny', 'challenge', 'allow'])
  const { evidence } = await guard.check(request(), { peer: '1.2.3.4' })
  expect(JSON.stringify(evidence)).toContain("ban: manual 'ban' from 'testwatcher' (cscli)")
})

it('a stream that has not been loaded yet leaves the decision to the policy, and says so in it', async () => {
  const decisions = crowdsec({ url: lapi.url, key: 'key-of-b', mode: 'stream' })
  const guard = guardWith(decisions)
  const { action, degraded } = await guard.check(request(), { peer: '1.2.3.4' })
  expect([action, degraded]).toEqual(['allow', ['reputation']])
  await waitUntil('it has loaded', () => decisions.status().loaded)
  expect(await actions(guard, ['1.2.3.4'])).toEqual(['deny'])
})

it('asked live, the next request meets the answer', async () => {
  const guard = guardWith(crowdsec({ url: lapi.url, key: 'key-of-c' }))
  expect(await actions(guard, ['1.2.3.4'])).toEqual(['allow'])
  await waitUntil('the answer is there', async () => (await actions(guard, ['1.2.3.4']))[0] === 'deny')
})

it('a list and a stream add up', async () => {
  const half = list({ name: 'half', list: ['1.2.3.4', '2620:7:6001::/48', '9.9.9.9'], listing: 60 })
  const decisions = crowdsec({ url: lapi.url, key: 'key-of-a', mode: 'stream' })
  await decisions.start()
  // 100 * (1 - 0.4 * 0.4) is 84.
  const expected = ['deny', 'deny', 'challenge', 'allow']
  expect(await actions(guardWith(half, decisions), ['1.2.3.4', '2620:7:6001::1', '9.9.9.9', '9.9.9.8'])).toEqual(
    expected,
  )
})
