import { Resolver } from 'node:dns/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startCrowdsec } from './start-crowdsec.ts'
import { startRbldnsd } from './start-rbldnsd.ts'

/** The first run may have to fetch a program. */
const FETCH = { timeout: 300_000 }

describe('startCrowdsec', () => {
  it('serves decisions to its bouncers, and again after a restart', FETCH, async () => {
    const lapi = await startCrowdsec({ bouncers: { mine: 'a-key-of-a-test' } })
    onTestFinished(lapi.stop)
    await lapi.cscli(['decisions', 'add', '--ip', '1.2.3.4', '--duration', '1h'])
    const ask = async (key: string): Promise<[number, unknown]> => {
      const answer = await fetch(`${lapi.url}/v1/decisions?ip=1.2.3.4`, { headers: { 'x-api-key': key } })
      return [answer.status, await answer.json()]
    }
    expect(await ask('a-key-of-a-test')).toMatchObject([200, [{ value: '1.2.3.4', type: 'ban' }]])
    expect((await ask('another'))[0]).toBe(403)
    const first = lapi.pid
    await lapi.kill()
    await expect(ask('a-key-of-a-test')).rejects.toThrow()
    await lapi.restart()
    expect(lapi.pid).not.toBe(first)
    expect(await ask('a-key-of-a-test')).toMatchObject([200, [{ value: '1.2.3.4' }]])
  })
})

describe('startRbldnsd', () => {
  it('answers for its zones, on the same port after a restart', FETCH, async () => {
    const lists = await startRbldnsd({
      zones: [{ name: 'list.test', type: 'ip4set', data: '$TTL 300\n:127.0.0.2:text $\n192.0.2.10\n' }],
    })
    onTestFinished(lists.stop)
    const resolver = new Resolver({ timeout: 2_000, tries: 1 })
    resolver.setServers([lists.address])
    expect(await resolver.resolve4('10.2.0.192.list.test')).toEqual(['127.0.0.2'])
    await expect(resolver.resolve4('11.2.0.192.list.test')).rejects.toThrow('ENOTFOUND')
    await lists.kill()
    await expect(resolver.resolve4('10.2.0.192.list.test')).rejects.toThrow('ECONNREFUSED')
    await lists.restart()
    expect(await resolver.resolve4('10.2.0.192.list.test')).toEqual(['127.0.0.2'])
  })
})
