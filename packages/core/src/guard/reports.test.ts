import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../../store-memory/src/index.ts'
import { handClock, turn } from '../../test/hand-clock.ts'
import { fakeSource, IP, IPV6, OTHER, type ReportKit, reportKit } from '../../test/report-kit.ts'
import { request, START } from '../../test/test-guard.ts'
import { cloudflare } from '../client-ip/presets/cdn-presets.ts'
import { nginx } from '../client-ip/presets/load-balancer-presets.ts'
import { fly, vercel } from '../client-ip/presets/platform-presets.ts'
import { createGuard } from '../create-guard.ts'
import { IpGuardError } from '../errors.ts'
import { parseAddress } from '../ip/address.ts'
import { parsePrefix } from '../ip/prefix.ts'
import { allow, deny, onlyAllow } from '../policy/lists.ts'
import { rateLimit } from '../policy/rate-limit.ts'
import { createEntry } from '../store/entry.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const REPORT = { type: 'brute-force', message: '5 failed logins' } as const

const sent = [{ provider: 'source', outcome: 'sent' }]
const because = (reason: string) => [{ provider: 'source', outcome: 'refused', reason }]

const refusal = (code: 'FAILED' | 'TIMEOUT' | 'QUOTA' | 'REFUSED' | 'ANSWER', retryAfter?: number): IpGuardError =>
  new IpGuardError(`IPGUARD_PROVIDER_${code}`, 'x', retryAfter === undefined ? {} : { retryAfter })

describe('guard.report', () => {
  test('tells each provider once, and answers what became of it', async () => {
    const second = fakeSource({ name: 'second', supports: (ip) => !ip.includes(':') })
    const { guard, source, events } = reportKit({}, {}, {})
    expect(await guard.report(IP, { ...REPORT, at: START - 5000 })).toEqual(sent)
    expect(source.got).toEqual([{ ip: IP, report: { ...REPORT, at: START - 5000 } }])
    expect(events).toEqual([{ ip: IP, provider: 'source', type: 'brute-force', outcome: 'sent' }])
    const both = reportKit({ providers: [fakeSource(), second] })
    expect(await both.guard.report('2A00:1450:4001:1:0::7', { type: 'spam', at: new Date(START) })).toEqual([
      { provider: 'source', outcome: 'sent' },
      { provider: 'second', outcome: 'refused', reason: 'unsupported' },
    ])
    expect(second.got).toEqual([])
  })

  test('tells no source of what it takes no reports of', async () => {
    const spam = fakeSource({ name: 'spam', reportTypes: ['spam'] })
    const { guard } = reportKit({ providers: [spam] })
    const result = { provider: 'spam', outcome: 'refused', reason: 'unsupported' }
    expect(await guard.report(IP, REPORT)).toEqual([result])
    expect(await guard.report(IP, { type: 'spam' })).toEqual([{ provider: 'spam', outcome: 'sent' }])
    spam.throws.push(new IpGuardError('IPGUARD_REPORT_DECLINED', 'x'))
    expect(await guard.report(OTHER, { type: 'spam' })).toEqual([result])
    // It was not taken: nothing keeps the next one back.
    expect(await guard.report(OTHER, { type: 'spam' })).toEqual([{ provider: 'spam', outcome: 'sent' }])
  })

  test('sends a batch only when it is large enough for the source', async () => {
    const source = fakeSource({ reportManyFrom: 3 }, true)
    const { guard } = reportKit({ providers: [source] })
    await Promise.all([IP, OTHER].map((ip) => guard.report(ip, REPORT)))
    expect(source.calls).toEqual([1, 1])
    await Promise.all(['9.9.9.1', '9.9.9.2', '9.9.9.3'].map((ip) => guard.report(ip, REPORT)))
    expect(source.calls).toEqual([1, 1, 3])
  })

  test('sends nothing by default: the log has exactly what would be sent', async () => {
    const lines: string[] = []
    const write = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`)
    const { guard, source, clock } = reportKit({}, { logger: { info: write, warn: write, error: write } })
    const dry = createGuard({
      policies: [],
      store: memoryStore({ clock }),
      clock,
      reports: { providers: [source] },
      logger: { info: write, warn: write, error: write },
    })
    const long = `password=hunter2 ${'word '.repeat(150)}`
    expect(await dry.report(IP, { type: 'spam', message: long })).toEqual([{ provider: 'source', outcome: 'dry-run' }])
    expect(await dry.report(IP, { type: 'spam', message: long })).toEqual([
      { provider: 'source', outcome: 'duplicate' },
    ])
    expect(source.got).toEqual([])
    await guard.report(IP, { type: 'spam', message: long })
    const message = source.got[0]!.report.message
    expect(message).toBe(`password=[redacted] ${'word '.repeat(150)}`.trim())
    expect(lines[0]).toBe(
      `ipguard: report ${JSON.stringify({ event: 'report', ip: IP, provider: 'source', outcome: 'dry-run', type: 'spam', message })}`,
    )
  })

  test('a dry run leaves nothing behind that would keep the first real report back', async () => {
    const clock = handClock()
    const store = memoryStore({ clock })
    const dry = reportKit({ dryRun: true, perDay: 1 }, { store }, { clock })
    expect(await dry.guard.report(IP, REPORT)).toMatchObject([{ outcome: 'dry-run' }])
    expect(await dry.guard.report(OTHER, REPORT)).toMatchObject([{ outcome: 'over-budget' }])
    expect(await reportKit({ perDay: 1 }, { store }, { clock }).guard.report(IP, REPORT)).toEqual(sent)
  })

  test.each([
    ['not-an-ip', REPORT, 'IPGUARD_ADDRESS_INVALID'],
    ['45.155.205.0/24', REPORT, 'IPGUARD_ADDRESS_INVALID'],
    [undefined, REPORT, 'IPGUARD_ADDRESS_INVALID'],
    [null, REPORT, 'IPGUARD_ADDRESS_INVALID'],
    [IP, { type: 'rude' }, 'IPGUARD_OPTION_INVALID'],
    [IP, undefined, 'IPGUARD_OPTION_INVALID'],
    [IP, { ...REPORT, message: 7 }, 'IPGUARD_OPTION_INVALID'],
    [IP, { ...REPORT, at: Number.NaN }, 'IPGUARD_OPTION_INVALID'],
    [IP, { ...REPORT, at: 'now' }, 'IPGUARD_OPTION_INVALID'],
    [IP, { ...REPORT, comment: 'x' }, 'IPGUARD_OPTION_UNKNOWN'],
  ])('rejects %j with %j', async (ip, report, code) => {
    await expect(reportKit().guard.report(ip as never, report as never)).rejects.toMatchObject({ code })
  })

  test('without reports says what to write', async () => {
    const guard = createGuard({ policies: [] })
    await expect(guard.report(IP, REPORT)).rejects.toMatchObject({ code: 'IPGUARD_REPORTS_MISSING' })
    await expect(guard.report(IP, REPORT)).rejects.toThrow('reports: { providers:')
  })
})

describe('never reported', () => {
  test.each([
    ['10.1.2.3', 'private'],
    ['127.0.0.1', 'private'],
    ['100.64.0.1', 'private'],
    ['203.0.113.7', 'private'],
    ['fe80::1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['64:ff9b::1', 'private'],
    ['104.16.0.1', 'infrastructure'],
  ])('%s: %s', async (ip, reason) => {
    const { guard, source } = reportKit()
    expect(await guard.report(ip, REPORT)).toEqual(because(reason))
    expect(source.got).toEqual([])
  })

  test('a trusted proxy, also where ladders may ban it', async () => {
    const { guard } = reportKit({}, { clientIp: nginx({ trust: [IP] }), banInfrastructure: true })
    expect(await guard.report(IP, REPORT)).toEqual(because('infrastructure'))
  })

  test('an address from a header that nobody checks; the platforms set theirs themselves', async () => {
    const report = (clientIp: object) => reportKit({}, { clientIp }).guard.report(IP, REPORT)
    expect(await report({ header: 'x-forwarded-for', originUnreachable: true })).toEqual(because('spoofable'))
    expect(await report({ header: 'x-real-ip', originUnreachable: true })).toEqual(because('spoofable'))
    expect(await report({ ...vercel() })).toEqual(because('spoofable'))
    expect(await report(vercel())).toEqual(sent)
    expect(await report(fly())).toEqual(sent)
    expect(await report(nginx())).toEqual(sent)
    expect(await report(cloudflare())).toEqual(sent)
  })

  test('a client behind trusted proxies only', async () => {
    const { guard } = reportKit({}, { clientIp: nginx({ trust: ['127.0.0.1'] }) })
    const via = { rule: 'all-trusted', header: 'x-forwarded-for', hop: 1 } as const
    expect(await guard.report({ ip: IP, key: IP, via }, REPORT)).toEqual(because('spoofable'))
  })

  test('who is on an allow list: of a policy, of a derived guard, of an entry', async () => {
    const { guard } = reportKit({}, { policies: [allow([IP]), onlyAllow([IP, OTHER, IPV6])] })
    expect(await guard.report(IP, REPORT)).toEqual(because('allow-listed'))
    expect(await guard.with({ policies: [allow([OTHER])] }).report(OTHER, REPORT)).toEqual(because('allow-listed'))
    await guard.allow('2a00:1450:4001::/48')
    expect(await guard.report(IPV6, REPORT)).toEqual(because('allow-listed'))
    expect(await guard.report(OTHER, REPORT)).toEqual(sent)
  })

  test('a verified crawler, by a rule in the exceptions of any policy', async () => {
    const crawler = {
      name: 'crawlers',
      spares: () => false,
      knows: ({ a }: { a: number }) => a === parseAddress(IP)?.a,
    }
    for (const policy of [
      deny([IP], { except: [crawler] }),
      rateLimit({ limit: 5, window: '60s', except: ['9.9.9.9', crawler] }),
    ]) {
      const { guard } = reportKit({}, { policies: [policy] })
      expect(await guard.report(IP, REPORT)).toEqual(because('crawler'))
      expect(await guard.report(OTHER, REPORT)).toEqual(sent)
    }
  })

  test('who is known from the lists of others', async () => {
    const { guard, store } = reportKit({}, { policies: [deny(['45.155.205.0/28'])] })
    expect(await guard.report(IP, REPORT)).toEqual(because('feed'))
    await guard.deny('9.9.9.9')
    expect(await guard.report('9.9.9.9', REPORT)).toEqual(because('feed'))
    const imported = { kind: 'ban', by: 'somebody-elses-list', createdAt: START } as const
    await store.entries.put([createEntry(parsePrefix('8.8.8.0/24'), imported)])
    expect(await guard.report('8.8.8.8', REPORT)).toEqual(because('feed'))
    // Our own word.
    await guard.ban('1.0.0.1', { for: '1h' })
    expect(await guard.report('1.0.0.1', REPORT)).toEqual(sent)
  })

  test('anybody by a guard in shadow', async () => {
    const { guard } = reportKit({}, { mode: 'shadow' })
    expect(await guard.report(IP, REPORT)).toEqual(because('shadow'))
    await guard.setMode('enforce')
    expect(await guard.report(IP, REPORT)).toEqual(sent)
  })

  test('who came onto an allow list while the report was waiting', async () => {
    const { guard, source, events, pass } = reportKit()
    source.throws.push(refusal('FAILED'))
    await guard.report(IP, REPORT)
    await guard.allow(IP)
    await pass(30_000)
    expect(events.at(-1)).toMatchObject({ outcome: 'refused', reason: 'allow-listed' })
    expect(source.got).toEqual([])
  })
})

describe('once per client and window', () => {
  test('over guards on one store, in both orders, and again when it is over', async () => {
    const clock = handClock()
    const source = fakeSource()
    const store = memoryStore({ clock })
    const kits = Array.from({ length: 4 }, () => reportKit({ window: '2h' }, { store }, { clock, source }))
    const all = await Promise.all(kits.flatMap(({ guard }) => [guard.report(IP, REPORT), guard.report(IP, REPORT)]))
    expect(
      all
        .flat()
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual([...Array<string>(7).fill('duplicate'), 'sent'])
    clock.advance(2 * HOUR)
    // The first may have arrived up to its deadline later.
    expect(await kits[1]!.guard.report(IP, REPORT)).toEqual([{ provider: 'source', outcome: 'duplicate' }])
    clock.advance(10_001)
    expect(await kits[1]!.guard.report(IP, REPORT)).toEqual(sent)
    expect(source.got).toHaveLength(2)
  })

  test('after a restart on the same store', async () => {
    const first = reportKit()
    await first.guard.report(IP, REPORT)
    await first.guard.close()
    const second = reportKit({}, { store: first.store }, { clock: first.clock })
    expect(await second.guard.report(IP, REPORT)).toEqual([{ provider: 'source', outcome: 'duplicate' }])
  })

  test('all of a /64 is one client; IPv4 addresses and providers are not', async () => {
    const second = fakeSource({ name: 'sourc' })
    const { guard, source } = reportKit({ providers: [fakeSource(), second] })
    await guard.report(IPV6, REPORT)
    expect(await guard.report('2a00:1450:4001:1::8', REPORT)).toMatchObject([
      { outcome: 'duplicate' },
      { outcome: 'duplicate' },
    ])
    expect(await guard.report('2a00:1450:4001:2::7', REPORT)).toMatchObject([{ outcome: 'sent' }, { outcome: 'sent' }])
    expect(source.got).toEqual([])
    expect(second.got).toHaveLength(2)
  })

  test('a source that has it already says so, and is not asked again', async () => {
    const { guard, source, pass } = reportKit()
    source.throws.push(new IpGuardError('IPGUARD_REPORT_DUPLICATE', 'x'))
    expect(await guard.report(IP, REPORT)).toEqual([{ provider: 'source', outcome: 'duplicate' }])
    await pass(HOUR - 1)
    expect(source.calls).toEqual([1])
    expect(await guard.report(OTHER, REPORT)).toEqual(sent)
  })
})

describe('the day’s budget', () => {
  test('holds over guards on one store, and what was over it may be reported the next day', async () => {
    const clock = handClock()
    const source = fakeSource({ reportQuota: { perDay: 5 } })
    const store = memoryStore({ clock })
    const kits = [0, 1].map(() => reportKit({ window: '1h' }, { store }, { clock, source }))
    const outcomes: string[] = []
    for (let i = 0; i < 12; i++) {
      const [result] = await kits[i % 2]!.guard.report(`45.155.205.${i}`, REPORT)
      outcomes.push(result!.outcome)
    }
    expect(outcomes).toEqual([...Array<string>(5).fill('sent'), ...Array<string>(7).fill('over-budget')])
    clock.advance(DAY)
    expect((await kits[0]!.guard.report('45.155.205.11', REPORT))[0]!.outcome).toBe('over-budget')
    clock.advance(DAY / 10 + 80_000)
    expect((await kits[0]!.guard.report('45.155.205.11', REPORT))[0]!.outcome).toBe('sent')
    expect(kits[0]!.guard.metrics().reports).toEqual({
      source: { sent: 4, dryRun: 0, duplicate: 0, overBudget: 4, refused: 0, failed: 0, dropped: 0, queued: 0 },
    })
  })

  test('is one, also for guards whose source has other timeouts', async () => {
    const clock = handClock()
    const store = memoryStore({ clock })
    const outcomes: string[] = []
    for (const timeout of ['1s', '5s', '90s'] as const) {
      const source = fakeSource({ timeout, reportQuota: { perDay: 5 } })
      const { guard } = reportKit({}, { store }, { clock, source })
      for (let i = 0; i < 3; i++) {
        const [result] = await guard.report(`45.155.${outcomes.length}.1`, REPORT)
        outcomes.push(result!.outcome)
      }
    }
    expect(outcomes).toEqual([...Array<string>(5).fill('sent'), ...Array<string>(4).fill('over-budget')])
  })

  test('what was over it is not kept back by its window', async () => {
    const { guard, clock } = reportKit({ perDay: 1, window: '30d' })
    await guard.report(IP, REPORT)
    expect(await guard.report(OTHER, REPORT)).toMatchObject([{ outcome: 'over-budget' }])
    clock.advance(DAY * 1.2)
    expect(await guard.report(OTHER, REPORT)).toEqual(sent)
  })

  test('perDay says otherwise', async () => {
    const { guard } = reportKit({ perDay: 1 })
    await guard.report(IP, REPORT)
    expect(await guard.report(OTHER, REPORT)).toMatchObject([{ outcome: 'over-budget' }])
  })
})

describe('a source that does not take it', () => {
  const later: [string, unknown][] = [
    ['FAILED by its status', refusal('FAILED')],
    ['QUOTA', refusal('QUOTA')],
    ['a plain error', new Error('status 503')],
    ['no connection', Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })],
    [
      'no connection, as FAILED',
      new IpGuardError('IPGUARD_PROVIDER_FAILED', 'x', {
        cause: Object.assign(new TypeError('x'), { cause: { code: 'ENOTFOUND' } }),
      }),
    ],
  ]
  test.each(later)('%s: sent again after 30 s, 1, 2, 4 and 8 minutes, then no more', async (_name, error) => {
    const { guard, source, events, pass } = reportKit()
    source.throws.push(...Array(10).fill(error))
    expect(await guard.report(IP, REPORT)).toEqual([{ provider: 'source', outcome: 'queued' }])
    expect(guard.metrics().reports.source).toMatchObject({ queued: 1, failed: 0 })
    for (const [i, minutes] of [0.5, 1, 2, 4, 8].entries()) {
      await pass(minutes * 60_000 - 1)
      expect(source.calls).toHaveLength(i + 1)
      await pass(1)
      expect(source.calls).toHaveLength(i + 2)
    }
    await pass(DAY)
    expect(source.calls).toHaveLength(6)
    expect(events.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ['queued', undefined],
      ['failed', 'retries'],
    ])
    expect(guard.metrics().reports.source).toMatchObject({ queued: 0, failed: 1 })
  })

  const unknown: [string, unknown][] = [
    ['TIMEOUT', refusal('TIMEOUT')],
    ['ANSWER', refusal('ANSWER')],
    ['a broken connection', new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })],
    [
      'a broken connection, as FAILED',
      new IpGuardError('IPGUARD_PROVIDER_FAILED', 'x', { cause: new TypeError('terminated') }),
    ],
    [
      'a broken connection, said by its provider',
      new IpGuardError('IPGUARD_PROVIDER_FAILED', 'x', { uncertain: true }),
    ],
    ['an abort', Object.assign(new Error('x'), { name: 'AbortError' })],
  ]
  test.each(unknown)('%s: it may have arrived, and is not sent again by anybody', async (_name, error) => {
    const { guard, source, store, clock, events, pass } = reportKit()
    const codes: string[] = []
    guard.on('error', ({ code }) => codes.push(code))
    source.throws.push(error)
    expect(await guard.report(IP, REPORT)).toEqual([{ provider: 'source', outcome: 'failed', reason: 'unknown' }])
    await pass(HOUR - 1000)
    expect(source.calls).toEqual([1])
    expect(codes).toEqual(['IPGUARD_REPORT_FAILED'])
    expect(events).toHaveLength(1)
    const other = reportKit({}, { store }, { clock, source })
    expect(await other.guard.report(IP, REPORT)).toMatchObject([{ outcome: 'duplicate' }])
  })

  test('retryAfter is honoured for everything that goes there', async () => {
    const { guard, source, pass } = reportKit()
    source.throws.push(refusal('QUOTA', 600_000))
    await guard.report(IP, REPORT)
    expect(await guard.report(OTHER, REPORT)).toMatchObject([{ outcome: 'queued' }])
    await pass(599_999)
    expect(source.calls).toEqual([1])
    await pass(1)
    expect(source.got.map(({ ip }) => ip).sort()).toEqual([IP, OTHER])
  })

  test('a repetition is a report of that moment: the window begins anew', async () => {
    const clock = handClock()
    const source = fakeSource()
    const store = memoryStore({ clock })
    const [one, two] = [0, 1].map(() => reportKit({ window: '1h' }, { store }, { clock, source })) as [
      ReportKit,
      ReportKit,
    ]
    source.throws.push(refusal('QUOTA', 50 * 60_000))
    await one.guard.report(IP, REPORT)
    await one.pass(50 * 60_000)
    expect(source.got).toHaveLength(1)
    await one.pass(15 * 60_000)
    expect(await two.guard.report(IP, REPORT)).toMatchObject([{ outcome: 'duplicate' }])
    await one.pass(46 * 60_000)
    expect(await two.guard.report(IP, REPORT)).toEqual(sent)
  })

  test('one that waits longer than its claim holds gives way to who has reported it meanwhile', async () => {
    const clock = handClock()
    const source = fakeSource()
    const store = memoryStore({ clock })
    const [one, two] = [0, 1].map(() => reportKit({ window: '1h' }, { store }, { clock, source })) as [
      ReportKit,
      ReportKit,
    ]
    source.throws.push(refusal('QUOTA', 3 * HOUR))
    await one.guard.report(IP, REPORT)
    await one.pass(2 * HOUR + 30 * 60_000)
    expect(await two.guard.report(IP, REPORT)).toEqual(sent)
    await one.pass(30 * 60_000)
    expect(one.events.at(-1)).toMatchObject({ outcome: 'duplicate' })
    expect(source.got).toHaveLength(1)
  })

  test('one that refuses this sender is left alone for an hour, and then asked again', async () => {
    const { guard, source, events, pass } = reportKit()
    const errors: IpGuardError[] = []
    guard.on('error', (error) => errors.push(error))
    source.throws.push(refusal('QUOTA', 1000), refusal('REFUSED'))
    await guard.report(IP, REPORT)
    await guard.report(OTHER, REPORT)
    await pass(30_000)
    const ends = events.slice(-2).map(({ outcome, reason }) => [outcome, reason])
    expect(ends.toSorted(([a = ''], [b = '']) => a.localeCompare(b))).toEqual([
      ['refused', 'provider'],
      ['sent', undefined],
    ])
    expect(await guard.report('9.9.9.9', REPORT)).toEqual(because('provider'))
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ['IPGUARD_REPORT_FAILED', 'source takes no reports from this sender, and is left alone for an hour.'],
    ])
    await pass(HOUR)
    expect(await guard.report('9.9.9.9', REPORT)).toEqual(sent)
    expect(await guard.report(IP, REPORT)).toEqual(sent)
  })

  test('one that never answers is waited for until its deadline, whether or not it heeds its signal', async () => {
    let aborted = false
    const silent = fakeSource({
      timeout: '2s',
      report: (_ip, _report, { signal }) => {
        signal.addEventListener('abort', () => {
          aborted = true
        })
        return new Promise(() => {})
      },
    })
    const { guard, pass } = reportKit({}, {}, { source: silent })
    const result = guard.report(IP, REPORT)
    for (let i = 0; i < 5; i++) await turn()
    await pass(2000)
    expect(await result).toEqual([{ provider: 'source', outcome: 'failed', reason: 'unknown' }])
    expect(aborted).toBe(true)
  })

  test('who waits in line behind silent attempts is told so', async () => {
    const silent = fakeSource({ timeout: '2s', report: () => new Promise(() => {}) })
    const { guard, pass } = reportKit({}, {}, { source: silent })
    const results = Promise.all(Array.from({ length: 12 }, (_, i) => guard.report(`45.155.205.${i}`, REPORT)))
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 5; j++) await turn()
      await pass(1000)
    }
    const outcomes = (await results).map(([result]) => result!.outcome)
    expect(outcomes.slice(0, 4)).toEqual(Array(4).fill('failed'))
    expect(outcomes.slice(-4)).toEqual(Array(4).fill('queued'))
  })
})

describe('the queue', () => {
  test('is bounded: the oldest goes, and that is told once', async () => {
    const warnings: string[] = []
    const { guard, source, events } = reportKit({ maxQueue: 3 }, { onWarning: ({ code }) => warnings.push(code) })
    source.throws.push(refusal('QUOTA', HOUR))
    await guard.report(IP, REPORT)
    for (let i = 20; i < 24; i++) await guard.report(`45.155.205.${i}`, REPORT)
    expect(warnings).toEqual(['IPGUARD_REPORTS_DROPPED'])
    expect(events.filter(({ outcome }) => outcome === 'failed').map(({ ip, reason }) => [ip, reason])).toEqual([
      [IP, 'dropped'],
      ['45.155.205.20', 'dropped'],
    ])
    expect(guard.metrics().reports.source).toMatchObject({ dropped: 2, queued: 3, failed: 0 })
  })

  test('goes together where the source can, and one by one when that fails', async () => {
    const source = fakeSource({}, true)
    const { guard, pass } = reportKit({}, {}, { source })
    source.throws.push(refusal('QUOTA', 60_000))
    await guard.report('45.155.205.1', REPORT)
    for (let i = 2; i < 7; i++) await guard.report(`45.155.205.${i}`, REPORT)
    await pass(60_000)
    expect(source.calls).toEqual([1, 6])
    expect(source.got).toHaveLength(6)
    source.throws.push(refusal('QUOTA', DAY))
    const all = Promise.all([20, 21, 22].map((i) => guard.report(`45.155.205.${i}`, REPORT)))
    await pass(0)
    expect(source.calls).toEqual([1, 6, 3, 1, 1, 1])
    expect((await all).flat().map(({ outcome }) => outcome)).toEqual(['queued', 'queued', 'queued'])
    // Its day's batches are used up, not its day's reports.
    await Promise.all([30, 31].map((i) => guard.report(`45.155.205.${i}`, REPORT)))
    expect(source.calls).toEqual([1, 6, 3, 1, 1, 1, 1, 1])
    expect(source.got).toHaveLength(11)
  })

  test('does not put into a batch again what was in one that failed', async () => {
    const source = fakeSource({}, true)
    const { guard, pass } = reportKit({}, {}, { source })
    source.throws.push(refusal('FAILED'), refusal('QUOTA', HOUR), refusal('QUOTA', HOUR))
    await Promise.all([1, 2].map((i) => guard.report(`45.155.205.${i}`, REPORT)))
    await pass(0)
    await pass(HOUR)
    expect(source.calls).toEqual([2, 1, 1, 1, 1])
  })

  test('gives up what is under way when the guard is closed', async () => {
    let aborted = false
    const silent = fakeSource({
      report: (_ip, _report, { signal }) => {
        signal.addEventListener('abort', () => {
          aborted = true
        })
        return new Promise(() => {})
      },
    })
    const { guard, pass } = reportKit({}, {}, { source: silent })
    const result = guard.report(IP, REPORT)
    await pass(0)
    await guard.close()
    expect(await result).toEqual([{ provider: 'source', outcome: 'failed', reason: 'unknown' }])
    expect(aborted).toBe(true)
  })

  test('ends with the guard: no timer stays, the provider is closed, and nothing is sent any more', async () => {
    let closed = 0
    const own = fakeSource({
      close() {
        closed++
      },
    })
    const { guard, source, clock, events, pass } = reportKit({}, {}, { source: own })
    source.throws.push(refusal('FAILED'))
    await guard.report(IP, REPORT)
    await guard.close()
    expect(clock.pending()).toBe(0)
    expect(closed).toBe(1)
    await pass(DAY)
    expect(source.calls).toEqual([1])
    expect(events.at(-1)).toMatchObject({ outcome: 'failed', reason: 'closed' })
    expect(await guard.report(OTHER, REPORT)).toEqual([{ provider: 'source', outcome: 'failed', reason: 'closed' }])
  })

  test('no timer stays behind reports that were taken', async () => {
    const { guard, clock } = reportKit()
    await guard.report(IP, REPORT)
    expect(clock.pending()).toBe(0)
  })
})

describe('a store that is away', () => {
  test('keeps reports back, and doubles none when it has done what it did not answer', async () => {
    const clock = handClock()
    const inner = memoryStore({ clock })
    let mode: 'there' | 'away' | 'deaf' = 'there'
    const store = {
      ...inner,
      set: async (...args: Parameters<typeof inner.set>) => {
        if (mode === 'away') throw new Error('away')
        const done = inner.set(...args)
        if (mode === 'deaf') throw new Error('deaf')
        return done
      },
    }
    const { guard, source, events, pass } = reportKit({}, { store }, { clock })
    await guard.report('9.9.9.9', REPORT)
    mode = 'deaf'
    expect(await guard.report(IP, REPORT)).toMatchObject([{ outcome: 'queued' }])
    mode = 'away'
    await pass(1000)
    await pass(1000)
    expect(source.got).toHaveLength(1)
    mode = 'there'
    await pass(1000)
    await pass(1000)
    // The claim was its own.
    expect(events.at(-1)).toMatchObject({ ip: IP, outcome: 'sent' })
    expect(source.got).toHaveLength(2)
    await pass(HOUR)
    expect(source.got).toHaveLength(2)
  })

  test('a budget that cannot be asked keeps the report back too', async () => {
    const clock = handClock()
    const inner = memoryStore({ clock })
    let away = false
    const store = {
      ...inner,
      hit: (...args: Parameters<typeof inner.hit>) => {
        if (away) throw new Error('away')
        return inner.hit(...args)
      },
    }
    const { guard, source, pass } = reportKit({}, { store }, { clock })
    away = true
    expect(await guard.report(IP, REPORT)).toMatchObject([{ outcome: 'queued' }])
    away = false
    await pass(1000)
    expect(source.got).toHaveLength(1)
  })
})

describe('from a ladder', () => {
  const strikes = (over = {}, options = {}, reports = {}) => {
    const limit = rateLimit({
      name: 'login',
      limit: 1,
      window: '60s',
      ladder: [{ name: 'out', ban: '1h', after: 3, within: '15m', report: 'brute-force', ...over }],
    })
    const kit = reportKit(reports, { policies: [limit], ...options })
    return {
      ...kit,
      async strike(ip: string, headers = {}) {
        const work: Promise<unknown>[] = []
        for (let i = 0; i < 3; i++) {
          for (let j = 0; j < 2; j++) {
            const info = { peer: ip, waitUntil: (each: Promise<unknown>) => void work.push(each) }
            await kit.guard.check(request({ headers: new Headers(headers) }), info)
          }
          await Promise.all(work)
          kit.clock.advance(61_000)
        }
        return work.length
      },
    }
  }

  test('who is banned by its tier is reported, with nothing of the request, and the platform keeps it alive', async () => {
    const { strike, source, guard } = strikes()
    expect(await strike(IPV6, { 'user-agent': 'canary', cookie: 'canary' })).toBeGreaterThan(0)
    expect(source.got).toEqual([
      {
        ip: IPV6,
        report: { type: 'brute-force', message: 'ipguard: 3 strikes on limit "login" within 15m', at: START + 122_000 },
      },
    ])
    expect(guard.entries({ kind: 'ban' })).toHaveLength(1)
  })

  test('a ban that the store tells of too late for the decision is reported all the same', async () => {
    const clock = handClock()
    const inner = memoryStore({ clock })
    let answer = () => {}
    const store = {
      ...inner,
      hit: (...args: Parameters<typeof inner.hit>) => {
        const isOurs = args[0].some(({ counter }) => counter.policy === 'login')
        if (!isOurs) return inner.hit(...args)
        return new Promise<Awaited<ReturnType<typeof inner.hit>>>((resolve) => {
          answer = () => resolve(inner.hit(...args))
        })
      },
    }
    const limit = rateLimit({ name: 'login', limit: 0, window: '1s', ladder: [{ ban: '1h', report: 'bot' }] })
    const { guard, source, pass } = reportKit({ minStrikes: 1 }, { store, policies: [limit] }, { clock })
    const decision = guard.check(request(), { peer: IP })
    await pass(60)
    expect(await decision).toMatchObject({ degraded: ['login'] })
    answer()
    await pass(0)
    expect(source.got).toMatchObject([{ ip: IP, report: { type: 'bot' } }])
  })

  test('the tier may say another message, which is redacted as any', async () => {
    const { strike, source } = strikes({ report: { type: 'bot', message: 'token=abc at the login' } })
    await strike(IP)
    expect(source.got.map(({ report }) => report.message)).toEqual(['token=[redacted] at the login'])
  })

  test('strikes of the application bring it about too, and do not wait for it', async () => {
    const silent = fakeSource({ report: () => new Promise(() => {}) })
    const limit = rateLimit({ name: 'l', ladder: [{ ban: '1h', after: 3, report: 'brute-force' }] })
    const { guard, events, pass } = reportKit({}, { policies: [limit] }, { source: silent })
    const via = { rule: 'socket' } as const
    for (let i = 0; i < 3; i++) await guard.strike({ ip: IP, key: IP, via })
    expect(guard.entries({ kind: 'ban' })).toHaveLength(1)
    await pass(0)
    await pass(5000)
    expect(events).toMatchObject([{ ip: IP, outcome: 'failed', reason: 'unknown' }])
  })

  test('never by a shadow policy, a shadow guard, or below minStrikes', async () => {
    const shadow = rateLimit({
      name: 's',
      mode: 'shadow',
      ladder: [{ ban: '1h', after: 1, report: 'brute-force' }],
    })
    const kit = reportKit({ minStrikes: 1 }, { policies: [shadow] })
    await kit.guard.strike(IP)
    expect(kit.guard.entries({ shadow: true })).toHaveLength(1)
    expect(kit.events).toEqual([])
    const inShadow = strikes({}, { mode: 'shadow' })
    await inShadow.strike(IP)
    expect(inShadow.guard.entries({ shadow: true })).toHaveLength(1)
    expect(inShadow.events).toEqual([])
    const few = strikes({ after: 2 })
    await few.strike(IP)
    expect(few.events).toMatchObject([{ outcome: 'refused', reason: 'evidence' }])
    const enough = strikes({ after: 2 }, {}, { minStrikes: 2 })
    await enough.strike(IP)
    expect(enough.events).toMatchObject([{ outcome: 'sent' }])
  })

  test('never of an address that a caller can choose', async () => {
    const { strike, events } = strikes({}, { clientIp: { header: 'x-real-ip', originUnreachable: true } })
    await strike('10.0.0.1', { 'x-real-ip': IP })
    expect(events).toMatchObject([{ ip: IP, outcome: 'refused', reason: 'spoofable' }])
  })

  test('a tier that reports without reports is refused at creation, also in a derived guard', () => {
    const limit = rateLimit({ name: 'l', ladder: [{ ban: '1h', report: 'spam' }] })
    const missing = expect.objectContaining({ code: 'IPGUARD_REPORTS_MISSING' }) as Error
    expect(() => createGuard({ policies: [limit], store: memoryStore() })).toThrow(missing)
    expect(() => createGuard({ policies: [], store: memoryStore() }).with({ policies: [limit] })).toThrow(missing)
  })

  test.each([['rude'], [{ type: 'rude' }], [{ type: 'spam', message: 1 }], [7]])('report: %j is refused', (report) => {
    expect(() => rateLimit({ name: 'l', ladder: [{ ban: '1h', report: report as never }] })).toThrow(
      expect.objectContaining({ name: 'IpGuardError' }),
    )
  })

  test('stores see the same ladder as without', () => {
    const ladderOf = (tier: object) =>
      rateLimit({ name: 'l', ladder: [{ ban: '1h', ...tier }] }).counter?.(false).ladder
    expect(ladderOf({})?.tiers[0]).toEqual({ name: 'tier-1', ban: HOUR, after: 1, within: 30 * DAY })
    expect(ladderOf({ report: 'spam' })?.tiers[0]).toMatchObject({ report: { type: 'spam' } })
  })
})

describe('messages', () => {
  test('that cannot be redacted are not sent', async () => {
    const errors: IpGuardError[] = []
    const { guard, source } = reportKit({
      redact: () => {
        throw new Error('x')
      },
    })
    guard.on('error', (error) => errors.push(error))
    expect(await guard.report(IP, REPORT)).toEqual([{ provider: 'source', outcome: 'failed', reason: 'redact' }])
    expect(source.got).toEqual([])
    expect(errors.map(({ code }) => code)).toEqual(['IPGUARD_REPORT_FAILED'])
  })

  test('a configured secret stands in no payload, log line, error, metric or reply', async () => {
    const canary = 'canary/söcret+1'
    const lines: string[] = []
    const write = (fields: object, message: string) =>
      void lines.push(
        `${message} ${JSON.stringify(fields, (_key, value: unknown) => (value instanceof Error ? value.message : value))}`,
      )
    const { guard, source } = reportKit(
      { secrets: [canary], dryRun: false },
      { logger: { info: write, warn: write, error: write } },
    )
    const base64 = Buffer.from(`user:${canary}`).toString('base64')
    const message = `${canary} ${base64} ${encodeURIComponent(canary)} ${encodeURIComponent(base64)}`
    source.throws.push(new Error(`no: ${canary}`), refusal('ANSWER'))
    const results = [
      await guard.report(IP, { type: 'spam', message }),
      await guard.report(OTHER, { type: 'spam', message }),
    ]
    const invalid = await guard
      .report(IP, { type: 'spam', message: { canary } as never })
      .catch((error: Error) => error.message)
    const text = JSON.stringify([results, invalid, lines, source.got, guard.metrics(), await guard.status()])
    expect(text).toMatch(/redacted|queued/)
    for (const form of [canary, encodeURIComponent(canary), base64, base64.slice(8, -4)])
      expect(text).not.toContain(form)
  })
})

test.each([
  [{ providers: [] }, 'IPGUARD_OPTION_INVALID', 'at least one provider that can report'],
  [{ providers: [{ name: 'x', lookup() {} }] }, 'IPGUARD_OPTION_INVALID', 'a provider with report()'],
  [{ providers: [fakeSource({ name: 'a b' })] }, 'IPGUARD_OPTION_INVALID', 'a name of letters'],
  [{ providers: [fakeSource(), fakeSource()] }, 'IPGUARD_OPTION_INVALID', 'another name'],
  [{ providers: [fakeSource()], window: '5m' }, 'IPGUARD_OPTION_INVALID', 'at least 900000 ms, which source asks for'],
  [{ providers: [fakeSource()], window: 'soon' }, 'IPGUARD_DURATION_INVALID', 'reports.window'],
  [{ providers: [fakeSource()], dryrun: false }, 'IPGUARD_OPTION_UNKNOWN', 'Did you mean "dryRun"?'],
  [{ providers: [fakeSource()], perDay: 0 }, 'IPGUARD_OPTION_INVALID', 'a whole number from 1'],
  [{ providers: [fakeSource()], retries: -1 }, 'IPGUARD_OPTION_INVALID', 'a whole number from 0'],
  [{ providers: [fakeSource()], redact: 'x' }, 'IPGUARD_OPTION_INVALID', 'a function'],
  [{ providers: [fakeSource()], secrets: ['abc'] }, 'IPGUARD_OPTION_INVALID', '4 to 4096 characters'],
])('bad options throw at creation: %#', (reports, code, message) => {
  const make = () => createGuard({ policies: [], store: memoryStore(), reports: reports as never })
  expect(make).toThrow(expect.objectContaining({ code }) as Error)
  expect(make).toThrow(message)
})

test('reports need a store', () => {
  expect(() => createGuard({ policies: [], reports: { providers: [fakeSource()] } })).toThrow(
    expect.objectContaining({ code: 'IPGUARD_STORE_MISSING' }) as Error,
  )
})
