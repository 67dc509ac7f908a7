import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IpGuardError } from '@ipguard/core'
import { waitUntil } from '@ipguard/tools'
import { Reader } from 'mmdb-lib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { handClock } from '../../core/test/hand-clock.ts'
import { type MmdbOptions, type MmdbProvider, mmdb } from '../src/mmdb.ts'
import { writeMmdb } from './write-mmdb.ts'

const context = { signal: new AbortController().signal }
const ANONYMOUS = 'GeoIP2-Anonymous-IP-Test'
const PLUS = 'GeoIP-Anonymous-Plus-Test'
const ASN = 'GeoLite2-ASN-Test'
const ASNS = { 15169: 10, 1221: { score: 20, categories: ['hosting'] }, 7018: 30, 6730: 40, 64500: 0 } as const

const path = (name: string): string => fileURLToPath(new URL(`data/maxmind/${name}.mmdb`, import.meta.url))

async function loaded(options: MmdbOptions): Promise<MmdbProvider> {
  const provider = mmdb(options)
  await provider.start()
  return provider
}

/** What a look-up came to: a verdict, nothing, or the code of its error. */
function outcome(provider: MmdbProvider, ip: string): unknown {
  try {
    return provider.lookup(ip, context)
  } catch (error) {
    return error instanceof IpGuardError ? error.code : error
  }
}

describe('mmdb with the files of MaxMind for tests', () => {
  it.each([
    ['1.2.0.1', { score: 40, categories: ['vpn'] }],
    ['1.124.213.1', { score: 100, categories: ['vpn', 'tor'] }],
    ['81.2.69.160', { score: 100, categories: ['vpn', 'proxy', 'residential-proxy', 'tor', 'hosting'] }],
    ['71.160.223.1', { score: 25, categories: ['hosting'] }],
    ['186.30.236.1', { score: 50, categories: ['proxy'] }],
    ['65.0.0.1', { score: 60, categories: ['tor'] }],
    ['abcd:1000::1', { score: 50, categories: ['proxy'] }],
    ['2001:480:3a::1', { score: 50, categories: ['proxy'] }],
    ['::ffff:1.2.0.1', { score: 40, categories: ['vpn'] }],
    ['8.8.8.8', undefined],
    ['2606:4700::1', undefined],
  ])('Anonymous IP says of %s what MaxMind says', async (ip, verdict) => {
    expect(outcome(await loaded({ file: path(ANONYMOUS) }), ip)).toEqual(verdict)
  })

  it('Anonymous Plus says how sure it is, whose it is, and when it was last seen', async () => {
    const provider = await loaded({ file: path(PLUS) })
    expect(outcome(provider, '1.2.0.1')).toEqual({
      score: 40,
      categories: ['vpn'],
      confidence: 0.3,
      detail: 'foo, last seen 2025-04-14',
    })
    expect(outcome(provider, '8.8.8.8')).toBeUndefined()
    expect(provider.status()).toEqual({
      loaded: true,
      type: 'GeoIP-Anonymous-Plus',
      builtAt: Date.UTC(2026, 1, 4, 23, 11, 37),
    })
  })

  it.each([
    ['1.0.0.1', { score: 10, detail: 'AS15169 Google Inc.' }],
    ['1.128.0.1', { score: 20, categories: ['hosting'], detail: 'AS1221 Telstra Pty Ltd' }],
    ['12.81.96.1', { score: 30, detail: 'AS7018' }],
    ['2001:1700::1', { score: 40, detail: 'AS6730 Sunrise Communications AG' }],
    ['9.9.9.9', undefined],
  ])('GeoLite2 ASN gives %s the score of its network', async (ip, verdict) => {
    expect(outcome(await loaded({ file: path(ASN), asns: ASNS }), ip)).toEqual(verdict)
  })

  it('takes other scores, and says nothing of networks that are not named or score 0', async () => {
    expect(outcome(await loaded({ file: path(ANONYMOUS), scores: { vpn: 5 } }), '1.2.0.1')).toMatchObject({ score: 5 })
    const some = await loaded({ file: path(ASN), asns: { 15169: 0, 6730: 1 } })
    expect(['1.0.0.1', '1.128.0.1'].map((ip) => outcome(some, ip))).toEqual([undefined, undefined])
  })

  it.each(['file', 'data', 'reader'] as const)('reads it from %s', async (from) => {
    const bytes = readFileSync(path(ANONYMOUS))
    const source = { file: path(ANONYMOUS), data: new Uint8Array(bytes), reader: new Reader(bytes) }
    const provider = await loaded({ [from]: source[from] })
    expect(outcome(provider, '65.0.0.1')).toMatchObject({ categories: ['tor'] })
    expect(provider.local).toBe(true)
  })

  it('reads an open database with no start', () => {
    expect(outcome(mmdb({ reader: new Reader(readFileSync(path(ANONYMOUS))) }), '65.0.0.1')).toMatchObject({
      score: 60,
    })
  })

  it('could not tell before it is loaded, which the first look-up starts', async () => {
    const provider = mmdb({ file: path(ANONYMOUS) })
    expect(provider.status()).toEqual({ loaded: false })
    expect(() => provider.lookup('65.0.0.1', context)).toThrow('The database of mmdb has not been loaded yet.')
    await waitUntil('it is loaded', () => provider.status().loaded)
    expect(outcome(provider, '65.0.0.1')).toMatchObject({ score: 60 })
  })

  it('reads any database with a function', async () => {
    const data = writeMmdb({
      type: 'My-List',
      ipVersion: 6,
      networks: { '203.0.113.0/24': { level: 7, name: 'seven' }, '2001:db8::/32': { level: 3 } },
    })
    const provider = await loaded({ data, read: ({ level }, ip) => ({ score: Number(level) * 10, detail: ip }) })
    expect(outcome(provider, '203.0.113.9')).toEqual({ score: 70, detail: '203.0.113.9' })
    expect(outcome(provider, '2001:db8:1::1')).toEqual({ score: 30, detail: '2001:db8:1::1' })
    expect(outcome(provider, '198.51.100.1')).toBeUndefined()
  })

  it('knows nothing of IPv6 addresses in an IPv4 database', async () => {
    const data = writeMmdb({ type: 'My-List', ipVersion: 4, networks: { '0.0.0.0/1': { bad: true } } })
    const provider = await loaded({ data, read: () => ({ score: 90 }) })
    expect(['1.2.3.4', '200.1.1.1', '2001:db8::1', '::1'].map((ip) => outcome(provider, ip))).toEqual([
      { score: 90 },
      undefined,
      undefined,
      undefined,
    ])
  })

  it.each([
    [
      'an unknown type',
      { data: writeMmdb({ type: 'Odd', ipVersion: 4, networks: { '1.0.0.0/8': { a: 1 } } }) },
      'read: (',
    ],
    ['networks without a word on them', { file: path(ASN) }, 'asns: {'],
    ['a file that is not there', { file: '/nowhere/a.mmdb' }, '(ENOENT)'],
    ['what is no database', { data: new TextEncoder().encode('<html>') }, 'the database is damaged, or no MaxMind DB'],
    ['nothing', { data: new Uint8Array() }, 'the database is damaged'],
  ])('refuses %s, and could not tell then', async (_name, options, message) => {
    const provider = mmdb(options)
    await expect(provider.start()).rejects.toThrow(message)
    expect(outcome(provider, '1.0.0.1')).toMatch(/^IPGUARD_PROVIDER_(ANSWER|FAILED)$/)
    expect(provider.status()).toMatchObject({ loaded: false, lastError: expect.any(IpGuardError) })
  })

  it.each([
    [{}, 'mmdb is "without a database, or with several"'],
    [{ file: 'a', data: new Uint8Array() }, 'one of file, data and reader'],
    [{ file: '' }, 'mmdb.file is ""'],
    [{ reader: {} }, 'mmdb.reader is an object'],
    [{ file: 'a', asns: { AS15169: 5 } }, 'mmdb.asns is "AS15169"'],
    [{ file: 'a', asns: { 15169: 500 } }, 'mmdb.asns[15169].score is 500'],
    [{ file: 'a', scores: { vpm: 5 } }, 'Did you mean "vpn"?'],
    [{ file: 'a', every: 'often' }, 'mmdb.every is not a duration'],
    [{ file: 'a', flie: 'b' }, 'Did you mean "file"?'],
  ])('refuses the options %j', (options, message) => {
    expect(() => mmdb(options as never)).toThrow(message)
  })
})

describe('a database file that changes', () => {
  const one = (type: string): Uint8Array =>
    writeMmdb({ type: 'My-List', ipVersion: 4, networks: { '192.0.0.0/3': { name: type } } })

  function changing(): {
    readonly provider: MmdbProvider
    readonly warnings: IpGuardError[]
    /** Puts other bytes in its place, as those who know how replace a file. */
    readonly replace: (bytes: Uint8Array) => void
    readonly file: string
    /** Asks after a minute, and waits until the file has been looked at. */
    readonly look: (isDone: () => boolean) => Promise<void>
    readonly name: () => unknown
  } {
    const folder = mkdtempSync(join(tmpdir(), 'ipguard-mmdb-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'list.mmdb')
    writeFileSync(file, one('first'))
    const clock = handClock()
    const warnings: IpGuardError[] = []
    const provider = mmdb({
      file,
      clock,
      read: ({ name }) => ({ score: 50, detail: String(name) }),
      onWarning: (warning) => warnings.push(warning),
    })
    const name = (): unknown => (outcome(provider, '203.0.113.7') as { readonly detail?: string }).detail
    return {
      provider,
      warnings,
      file,
      replace(bytes) {
        writeFileSync(`${file}.new`, bytes)
        renameSync(`${file}.new`, file)
      },
      async look(isDone) {
        clock.advance(60_000)
        name()
        await waitUntil('the file has been looked at', isDone)
      },
      name,
    }
  }

  it('is loaded anew, once it is looked at', async () => {
    const { provider, replace, look, name } = changing()
    await provider.start()
    expect(name()).toBe('first')
    replace(one('second'))
    expect(name()).toBe('first')
    await look(() => name() === 'second')
  })

  it.each([
    ['is cut short', one('second').slice(0, 60)],
    ['lost its end', one('second').slice(0, -10)],
    ['is empty', new Uint8Array()],
    ['is something else', new TextEncoder().encode('<html>not found</html>')],
    ['has a hole in its data', hole(one('second'))],
  ])('stays as it was when the new one %s, says so once, and is replaced by the next good one', async (_name, bad) => {
    const { provider, warnings, replace, look, name } = changing()
    await provider.start()
    replace(bad)
    await look(() => provider.status().lastError !== undefined)
    expect(name()).toBe('first')
    const first = provider.status().lastError
    await look(() => provider.status().lastError !== first)
    expect(warnings).toEqual([first])
    expect(first).toMatchObject({ code: 'IPGUARD_PROVIDER_ANSWER' })
    expect(provider.status()).toMatchObject({ loaded: true, type: 'My-List' })
    replace(one('third'))
    await look(() => name() === 'third')
    expect(provider.status().lastError).toBeUndefined()
  })

  it('stays as it was when it is gone', async () => {
    const { provider, warnings, file, look, name } = changing()
    await provider.start()
    rmSync(file)
    await look(() => provider.status().lastError !== undefined)
    expect(name()).toBe('first')
    expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_PROVIDER_FAILED'])
  })
})

/** Overwrites the data that every record points to. */
function hole(bytes: Uint8Array): Uint8Array {
  const marker = bytes.findIndex((byte, i) => byte === 0xab && bytes[i + 1] === 0xcd)
  return bytes.map((byte, i) => (i < marker && i >= marker - 8 ? 0xff : byte))
}
