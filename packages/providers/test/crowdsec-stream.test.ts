import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { IpGuardError } from '@ipguard/core'
import { type CrowdsecServer, startCrowdsec, waitUntil } from '@ipguard/tools'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type HandClock, handClock } from '../../core/test/hand-clock.ts'
import { type CrowdsecStream, crowdsec } from '../src/crowdsec.ts'

const KEYS = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`stream-${i}`, `key-of-stream-${i}`]))
const context = { signal: new AbortController().signal }
/** More than `every` of 10 s with its jitter. */
const PULL = 11_000
let lapi: CrowdsecServer
let used = 0

beforeAll(async () => {
  lapi = await startCrowdsec({ bouncers: KEYS })
}, 300_000)
afterAll(() => lapi.stop())
beforeEach(async () => {
  await lapi.cscli(['decisions', 'delete', '--all'])
})

interface Setup {
  readonly provider: CrowdsecStream
  readonly clock: HandClock
  readonly key: string
  readonly score: (ip: string) => number | undefined
}

/** A stream with a key of its own, whose time stands still. */
function stream(options: object = {}): Setup {
  const key = `key-of-stream-${used++}`
  const clock = handClock()
  const provider = crowdsec({ url: lapi.url, key, mode: 'stream', clock, ...options })
  onTestFinished(() => provider.close())
  const score = (ip: string): number | undefined => {
    const verdict = provider.lookup(ip, context)
    if (verdict instanceof Promise) throw new Error('A local provider answered with a promise.')
    return (verdict as { readonly score: number } | undefined)?.score
  }
  return { provider, clock, key, score }
}

const add = (...args: readonly string[]): Promise<string> => lapi.cscli(['decisions', 'add', ...args])
const remove = (...args: readonly string[]): Promise<string> => lapi.cscli(['decisions', 'delete', ...args])

describe('crowdsec, stream, with a real Local API', () => {
  it('answers from memory once all decisions are there, and follows what is added and deleted', async () => {
    await add('--ip', '1.2.3.4', '--duration', '4h')
    await add('--range', '10.66.0.0/16', '--duration', '1h', '--type', 'captcha')
    await add('--range', '2001:db8:bad::/48', '--duration', '2h')
    await add('--scope', 'country', '--value', 'FR', '--duration', '2h')
    await add('--scope', 'as', '--value', '64500', '--duration', '2h')
    const { provider, clock, score } = stream()
    expect(provider.local).toBe(true)
    await provider.start()
    expect(provider.status()).toEqual({ loaded: true, entries: 3, ignored: 0, age: 0 })
    expect(['1.2.3.4', '10.66.1.1', '2001:db8:bad::9', '9.9.9.9'].map(score)).toEqual([100, 60, 100, undefined])

    await remove('--ip', '1.2.3.4')
    await add('--ip', '9.9.9.9', '--duration', '5m')
    expect(score('1.2.3.4')).toBe(100)
    clock.advance(PULL)
    await waitUntil('the changes are there', () => score('9.9.9.9') === 100)
    expect(score('1.2.3.4')).toBeUndefined()
    expect(provider.status()).toMatchObject({ entries: 3 })
  })

  it('could not tell before the first pull has come, which the first look-up starts', async () => {
    await add('--ip', '1.2.3.4', '--duration', '4h')
    const { provider, clock, score } = stream()
    expect(clock.pending()).toBe(0)
    expect(() => score('1.2.3.4')).toThrow('have not been loaded yet')
    expect(provider.status()).toEqual({ loaded: false, entries: 0, ignored: 0 })
    await waitUntil('it has loaded', () => provider.status().loaded)
    expect(score('1.2.3.4')).toBe(100)
  })

  it('lets decisions run out by themselves', async () => {
    await add('--ip', '1.2.3.4', '--duration', '10m')
    const { provider, clock, score } = stream({ every: '1d' })
    await provider.start()
    clock.advance(9 * 60_000)
    expect(score('1.2.3.4')).toBe(100)
    clock.advance(60_000)
    expect(score('1.2.3.4')).toBeUndefined()
  })

  it('keeps the captcha of an address whose ban is deleted', async () => {
    await add('--ip', '1.2.3.4', '--duration', '4h')
    await add('--ip', '1.2.3.4', '--duration', '2h', '--type', 'captcha')
    const { provider, clock, score } = stream()
    await provider.start()
    expect(score('1.2.3.4')).toBe(100)
    await remove('--ip', '1.2.3.4', '--type', 'ban')
    clock.advance(PULL)
    await waitUntil('the ban is gone', () => score('1.2.3.4') === 60)
  })

  it('serves what it has while the server is away, and takes all anew when it is back', async () => {
    await add('--ip', '1.2.3.4', '--duration', '4h')
    await add('--ip', '1.2.3.5', '--duration', '4h')
    const warnings: IpGuardError[] = []
    const { provider, clock, score } = stream({ onWarning: (warning: IpGuardError) => warnings.push(warning) })
    await provider.start()
    await lapi.kill()
    for (let i = 1; i <= 2; i++) {
      const before = provider.status().lastError
      clock.advance(2 * PULL)
      await waitUntil('the pull has failed', () => provider.status().lastError !== before)
    }
    expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_PROVIDER_FAILED'])
    expect(provider.status()).toMatchObject({ loaded: true, entries: 2, age: 4 * PULL })
    expect(['1.2.3.4', '1.2.3.5'].map(score)).toEqual([100, 100])

    await lapi.restart()
    await remove('--ip', '1.2.3.4')
    clock.advance(60_000)
    await waitUntil('it has loaded all again', () => provider.status().lastError === undefined)
    expect(['1.2.3.4', '1.2.3.5'].map(score)).toEqual([undefined, 100])
    expect(provider.status()).toMatchObject({ entries: 1, age: 0 })
  })

  it('learns by the next full pull of a change that another process with its key took', async () => {
    await add('--ip', '1.2.3.4', '--duration', '4h')
    const { provider, clock, key, score } = stream({ full: '5m' })
    await provider.start()
    await add('--ip', '1.2.3.5', '--duration', '4h')
    const taken = await takeDelta(key)
    expect(JSON.stringify(taken)).toContain('1.2.3.5')
    const pulled = async (ms: number): Promise<void> => {
      clock.advance(ms)
      await waitUntil('it has pulled', () => provider.status().age === 0)
    }
    await pulled(PULL)
    expect(['1.2.3.4', '1.2.3.5'].map(score)).toEqual([100, undefined])
    await pulled(5 * 60_000)
    expect(['1.2.3.4', '1.2.3.5'].map(score)).toEqual([100, 100])
  })

  it('says why it was refused with a wrong key, and asks ever more seldom', async () => {
    const clock = handClock()
    const provider = crowdsec({ url: lapi.url, key: 'canary-of-a-key', mode: 'stream', clock })
    onTestFinished(() => provider.close())
    const error = await provider.start().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'IPGUARD_PROVIDER_REFUSED' })
    expect(() => provider.lookup('1.2.3.4', context)).toThrow(
      expect.objectContaining({ code: 'IPGUARD_PROVIDER_REFUSED' }),
    )
    expect(JSON.stringify([error, String(error), provider.status()])).not.toContain('canary-of-a-key')
    for (const wait of [PULL, 2 * PULL, 4 * PULL]) {
      const before = provider.status().lastError
      clock.advance(wait * 0.8)
      expect(clock.pending()).toBe(1)
      clock.advance(wait * 0.2)
      await waitUntil('the pull has failed', () => provider.status().lastError !== before)
    }
  })

  it('could not tell while the server is frozen, and ends with close', async () => {
    const { provider, clock, score } = stream({ timeout: 300 })
    onTestFinished(() => lapi.thaw())
    lapi.freeze()
    await expect(provider.start()).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_TIMEOUT' })
    expect(() => score('1.2.3.4')).toThrow(expect.objectContaining({ code: 'IPGUARD_PROVIDER_TIMEOUT' }))
    expect(clock.pending()).toBe(1)
    provider.close()
    expect(clock.pending()).toBe(0)
  })
  it('keeps no process alive', async () => {
    await add('--ip', '1.2.3.4', '--duration', '4h')
    const child = fileURLToPath(new URL('crowdsec-idle.child.ts', import.meta.url))
    const args = ['--conditions=@ipguard/source', '--no-warnings', child, lapi.url, `key-of-stream-${used++}`]
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 })
    expect(JSON.parse(stdout)).toMatchObject({ score: 100 })
  })
})

async function takeDelta(key: string): Promise<unknown> {
  const answer = await fetch(`${lapi.url}/v1/decisions/stream?startup=false`, { headers: { 'x-api-key': key } })
  return answer.json()
}
