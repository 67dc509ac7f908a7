import { entryOf, hitOf, keyOf, limiter, SUITE_START } from '@ipguard/conformance'
import { type Entry, IpGuardError, type Store } from '@ipguard/core'
import { memoryStore, type SnapshotTarget } from '@ipguard/store-memory'
import { describe, expect, it, vi } from 'vitest'

const HOUR = 3_600_000

/** A target in memory, with saves that can be held back and made to fail. */
function target(bytes?: Uint8Array): SnapshotTarget & {
  bytes: Uint8Array | undefined
  saves: number
  atOnce: number
  most: number
  before: () => Promise<void>
} {
  const self = {
    bytes,
    saves: 0,
    atOnce: 0,
    most: 0,
    before: async () => {},
    load: () => self.bytes,
    async save(next: Uint8Array) {
      self.saves++
      self.atOnce++
      self.most = Math.max(self.most, self.atOnce)
      try {
        await self.before()
        self.bytes = next
      } finally {
        self.atOnce--
      }
    },
  }
  return self
}

const of = ({ load: read, save }: SnapshotTarget): SnapshotTarget => ({ load: read, save })

/** A clock whose timers run when told to. */
function clock(): {
  now(): number
  after(ms: number, call: () => void): () => void
  run(): Promise<void>
  readonly waiting: number
  readonly lengths: number[]
} {
  let timers: (() => void)[] = []
  const lengths: number[] = []
  return {
    now: () => SUITE_START,
    after(ms, call) {
      lengths.push(ms)
      timers.push(call)
      return () => {
        timers = timers.filter((each) => each !== call)
      }
    },
    async run() {
      for (const call of timers.splice(0)) call()
      await new Promise((resolve) => setImmediate(resolve))
    },
    get waiting() {
      return timers.length
    },
    lengths,
  }
}

async function load(store: Store): Promise<readonly Entry[]> {
  const all: Entry[] = []
  for await (const page of store.entries.load()) all.push(...page)
  return all
}

const bans = [
  entryOf('203.0.113.7/32', { until: HOUR, reason: 'a\nb \u{1f4a5}' }),
  entryOf('2001:db8::/64', { tier: 'x' }),
]

/** The bytes of a snapshot of `bans`. */
async function saved(): Promise<Uint8Array> {
  const to = target()
  const store = memoryStore({ snapshot: of(to) })
  await load(store)
  await store.entries.put(bans)
  await store.close?.()
  return to.bytes!
}

describe('a snapshot', () => {
  it('brings entries and bans of every kind back', async () => {
    const kinds = [
      ...bans,
      entryOf('198.51.100.0/24', { kind: 'deny' }),
      entryOf('192.0.2.1/32', { kind: 'allow', until: HOUR }),
    ]
    const to = target()
    const first = memoryStore({ snapshot: of(to) })
    await load(first)
    await first.entries.put(kinds)
    await first.close?.()
    expect(await load(memoryStore({ snapshot: of(to) }))).toEqual(kinds)
  })

  it('brings back the bans that hits brought about, which then refuse', async () => {
    const to = target()
    const login = limiter({ name: 'login', ladder: [{ ban: '1h' }] })
    const strike = hitOf(login, keyOf('203.0.113.7'), { limit: 0, cost: 0, strike: true })
    const first = memoryStore({ snapshot: of(to) })
    await load(first)
    await first.hit([strike], { now: SUITE_START, commit: 'all' })
    await first.close?.()
    const second = memoryStore({ snapshot: of(to) })
    await load(second)
    const [reply] = await second.hit([strike], { now: SUITE_START + HOUR - 1, commit: 'all' })
    expect(reply?.ban?.expiresAt).toBe(SUITE_START + HOUR)
  })

  it('is saved once for many changes, `every` after the first', async () => {
    const time = clock()
    const to = target()
    const store = memoryStore({ snapshot: { ...of(to), every: '5s' }, clock: time })
    await load(store)
    for (const ban of bans) await store.entries.put([ban])
    expect([to.saves, time.lengths]).toEqual([0, [5_000]])
    await time.run()
    expect([to.saves, time.waiting]).toEqual([1, 0])
  })

  it('is not saved when nothing changed', async () => {
    const time = clock()
    const to = target(await saved())
    const store = memoryStore({ snapshot: of(to), clock: time })
    await load(store)
    await store.entries.put(bans)
    await store.hit([hitOf(limiter({ limit: 5, window: '1s' }), keyOf('192.0.2.1'))], {
      now: SUITE_START,
      commit: 'all',
    })
    await store.entries.remove(['ban 192.0.2.77/32'])
    await time.run()
    await store.close?.()
    // Once, for what the load brought in.
    expect(to.saves).toBeLessThanOrEqual(1)
  })

  it('is saved one after the other, the newest last', async () => {
    const time = clock()
    const to = target()
    const held: (() => void)[] = []
    to.before = () => new Promise((resolve) => held.push(resolve))
    const store = memoryStore({ snapshot: of(to), clock: time })
    await load(store)
    for (const ban of bans) {
      await store.entries.put([ban])
      await time.run()
    }
    const closed = store.close?.()
    for (let i = 0; i < 6; i++) {
      held.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await closed
    expect(to.most).toBe(1)
    expect(await load(memoryStore({ snapshot: of(target(to.bytes)) }))).toEqual(bans)
  })

  it('is saved by close() at once, and not again', async () => {
    const time = clock()
    const to = target()
    const store = memoryStore({ snapshot: of(to), clock: time })
    await load(store)
    await store.entries.put(bans)
    await store.close?.()
    await store.close?.()
    expect([to.saves, time.waiting]).toEqual([1, 0])
    expect(await load(memoryStore({ snapshot: of(to) }))).toEqual(bans)
  })

  it('is never replaced before it was read', async () => {
    const to = target(await saved())
    const store = memoryStore({ snapshot: of(to) })
    const own = entryOf('192.0.2.1/32', { until: HOUR })
    await store.entries.put([own])
    await store.close?.()
    expect((await load(memoryStore({ snapshot: of(target(to.bytes)) }))).map(({ id }) => id).sort()).toEqual(
      [...bans, own].map(({ id }) => id).sort(),
    )
  })

  it('does not shorten a ban that was made before it was read', async () => {
    const longer = entryOf('203.0.113.7/32', { until: 9 * HOUR })
    const store = memoryStore({ snapshot: of(target(await saved())) })
    await store.entries.put([longer])
    expect(await load(store)).toContainEqual(longer)
    await store.close?.()
  })

  it('brings nothing back that was replaced or removed before it was read', async () => {
    const place = '198.51.100.0/24'
    const to = target()
    const first = memoryStore({ snapshot: of(to) })
    await first.entries.put([
      ...bans,
      ...(['deny', 'allow'] as const).map((kind) => entryOf(place, { kind, reason: 'old' })),
      entryOf('::/0', { kind: 'mode', mode: 'shadow' }),
    ])
    await first.close?.()

    let answer: (bytes: Uint8Array | undefined) => void = () => {}
    const read = (): Promise<Uint8Array | undefined> =>
      new Promise((resolve) => {
        answer = resolve
      })
    const second = memoryStore({ snapshot: { ...of(to), load: read } })
    const loading = load(second)
    const newer = [
      entryOf(place, { kind: 'deny', until: HOUR, reason: 'new' }),
      entryOf('::/0', { kind: 'mode', mode: 'enforce' }),
    ]
    await second.entries.put(newer)
    await second.entries.remove([bans[0]!.id, entryOf(place, { kind: 'allow' }).id])
    answer(to.bytes)
    const byId = (entries: readonly Entry[]): readonly Entry[] => entries.toSorted((x, y) => (x.id < y.id ? -1 : 1))
    expect(byId(await loading)).toEqual(byId([...newer, bans[1]!]))
    await second.close?.()
  })

  it('leaves out what has ended', async () => {
    const to = target(await saved())
    const store = memoryStore({ snapshot: of(to) })
    await load(store)
    await store.hit([hitOf(limiter({ limit: 5, window: '1s' }), keyOf('192.0.2.1'))], {
      now: SUITE_START + HOUR,
      commit: 'all',
    })
    expect(await load(store)).toEqual([bans[1]])
    await store.close?.()
  })
})

describe('a snapshot that cannot be used', () => {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content)
  const cases: readonly (readonly [string, (good: Uint8Array) => Uint8Array])[] = [
    ['empty', () => new Uint8Array()],
    ['something else', () => text('{"entries":[]}\n')],
    ['of another version', (good) => text(new TextDecoder().decode(good).replace('SNAPSHOT 1', 'SNAPSHOT 2'))],
    ['without its last byte', (good) => good.slice(0, -1)],
    ['cut in the middle', (good) => good.slice(0, good.length >> 1)],
    ['cut inside its header', (good) => good.slice(0, 20)],
    ['only its header', (good) => good.slice(0, good.indexOf(10) + 1)],
    ['with one bit changed', (good) => good.map((byte, i) => (i === good.length - 20 ? byte ^ 1 : byte))],
    ['with more behind it', (good) => Uint8Array.from([...good, 10, 123, 125])],
    ['random', () => Uint8Array.from({ length: 5_000 }, (_, i) => (i * 131) & 255)],
  ]

  it.each(cases)('%s: the store starts empty, says so, and goes on', async (_name, damage) => {
    const warnings: { code: string; message: string }[] = []
    const to = target(damage(await saved()))
    const store = memoryStore({ snapshot: of(to), onWarning: (warning) => warnings.push(warning) })
    expect(await load(store)).toEqual([])
    expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_SNAPSHOT_DAMAGED'])
    expect(warnings[0]?.message).toContain('starts empty')
    await store.entries.put(bans)
    await store.close?.()
    expect(await load(memoryStore({ snapshot: of(to) }))).toEqual(bans)
  })

  it.each([
    [
      'throws',
      (): Uint8Array => {
        throw new Error('EACCES /secret/path')
      },
    ],
    ['rejects', async (): Promise<Uint8Array> => Promise.reject(new Error('EACCES /secret/path'))],
  ] as const)('a load that %s: the same, without the cause in the warning', async (_name, fail) => {
    const warnings: { code: string; message: string }[] = []
    const store = memoryStore({
      snapshot: { ...of(target()), load: fail },
      onWarning: (warning) => warnings.push(warning),
    })
    expect(await load(store)).toEqual([])
    expect(warnings.map(({ code }) => code)).toEqual(['IPGUARD_SNAPSHOT_DAMAGED'])
    expect(warnings[0]?.message).not.toContain('secret')
  })

  it.each(cases)('%s: it is put aside before the first save, once', async (_name, damage) => {
    const to = target(damage(await saved()))
    const kept: (Uint8Array | undefined)[] = []
    const time = clock()
    const keepDamaged = (): void => void kept.push(to.bytes)
    const store = memoryStore({ snapshot: { ...of(to), keepDamaged }, clock: time, onWarning: () => {} })
    const before = to.bytes
    await load(store)
    expect(kept).toEqual([])
    for (const ban of bans) {
      await store.entries.put([ban])
      await time.run()
    }
    expect(kept).toEqual([before])
    expect(await load(memoryStore({ snapshot: of(to) }))).toEqual(bans)
    await store.close?.()
  })

  it('it is not replaced while it cannot be put aside', async () => {
    const to = target(new Uint8Array(5))
    const time = clock()
    let keeps = 0
    const keepDamaged = async (): Promise<void> => {
      if (++keeps === 1) throw new Error('EROFS')
    }
    const store = memoryStore({ snapshot: { ...of(to), keepDamaged }, clock: time, onWarning: () => {} })
    await store.entries.put(bans)
    await time.run()
    expect([keeps, to.saves]).toEqual([1, 0])
    await time.run()
    expect([keeps, to.saves]).toEqual([2, 1])
    await store.close?.()
  })

  it('a load that fails and then answers: nothing is saved before, and nothing is lost', async () => {
    const warnings: string[] = []
    const time = clock()
    const to = target(await saved())
    let failing = true
    const read = (): Uint8Array | undefined => {
      if (failing) throw new Error('EMFILE')
      return to.bytes
    }
    const store = memoryStore({
      snapshot: { ...of(to), load: read },
      clock: time,
      onWarning: ({ code }) => warnings.push(code),
    })
    expect(await load(store)).toEqual([])
    const own = entryOf('192.0.2.1/32', { until: HOUR })
    await store.entries.put([own])
    await time.run()
    expect([to.saves, time.waiting, warnings]).toEqual([0, 1, ['IPGUARD_SNAPSHOT_DAMAGED', 'IPGUARD_SNAPSHOT_FAILED']])
    failing = false
    await time.run()
    const all = [...bans, own].map(({ id }) => id).sort()
    expect((await load(store)).map(({ id }) => id).sort()).toEqual(all)
    expect((await load(memoryStore({ snapshot: of(to) }))).map(({ id }) => id).sort()).toEqual(all)
    await store.close?.()
  })

  it('a save that fails: warns once, tries again, and nothing else suffers', async () => {
    const warnings: string[] = []
    const time = clock()
    const to = target()
    to.before = async () => Promise.reject(new Error('ENOSPC'))
    const store = memoryStore({ snapshot: of(to), clock: time, onWarning: ({ code }) => warnings.push(code) })
    await load(store)
    await store.entries.put([bans[0]!])
    await time.run()
    await time.run()
    expect([warnings, to.saves, time.waiting]).toEqual([['IPGUARD_SNAPSHOT_FAILED'], 2, 1])
    to.before = async () => {}
    await time.run()
    expect([to.saves, time.waiting]).toEqual([3, 0])
    expect(await load(memoryStore({ snapshot: of(to) }))).toEqual([bans[0]])
    await store.close?.()
  })

  it('a save that fails in close(): no timer is left, and close does not reject', async () => {
    const time = clock()
    const to = target()
    to.before = async () => Promise.reject(new Error('ENOSPC'))
    const store = memoryStore({ snapshot: of(to), clock: time, onWarning: () => {} })
    await load(store)
    await store.entries.put(bans)
    await store.close?.()
    expect(time.waiting).toBe(0)
  })
})

describe('options', () => {
  it.each([
    [{ maxKeys: 0 }, 'IPGUARD_OPTION_INVALID'],
    [{ maxKeys: 1.5 }, 'IPGUARD_OPTION_INVALID'],
    [{ maxBans: Number.NaN }, 'IPGUARD_OPTION_INVALID'],
    [{ maxRecords: 2 ** 25 }, 'IPGUARD_OPTION_INVALID'],
    [{ maxKey: 5 }, 'IPGUARD_OPTION_UNKNOWN'],
    [{ snapshot: { load: (): undefined => undefined } }, 'IPGUARD_OPTION_INVALID'],
    [{ snapshot: { load: (): undefined => undefined, save: () => {}, every: 'soon' } }, 'IPGUARD_DURATION_INVALID'],
  ])('%j are refused with %s', (options, code) => {
    try {
      memoryStore(options as object)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(IpGuardError)
      expect((error as IpGuardError).code).toBe(code)
    }
  })

  it('warnings go to the process unless there is a listener, and one that throws fails nothing', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const fill = async (options: object): Promise<unknown> => {
      const store = memoryStore({ maxKeys: 1, ...options })
      const counter = limiter({ limit: 5, window: '1s' })
      const hits = ['192.0.2.1', '192.0.2.2'].map((ip) => hitOf(counter, keyOf(ip)))
      return Promise.all(hits.map(async (hit) => store.hit([hit], { now: SUITE_START, commit: 'all' })))
    }
    const onWarning = vi.fn(() => {
      throw new Error('a listener')
    })
    await fill({ onWarning })
    expect([onWarning.mock.calls.length, emit.mock.calls.length]).toEqual([1, 0])
    await fill({})
    expect(emit.mock.calls).toEqual([
      [expect.stringContaining('maxKeys = 1 '), { type: 'IpGuardWarning', code: 'IPGUARD_STORE_FULL' }],
    ])
    emit.mockRestore()
  })

  it('verdicts never push out other records, and a record that had not expired does not go unheard', async () => {
    const time = clock()
    const heard: string[] = []
    const store = memoryStore({ maxRecords: 3, clock: time, onWarning: ({ message }) => heard.push(message) })
    const set = async (key: string, expiresAt = SUITE_START + HOUR) => store.set(key, 'x', expiresAt)
    await set('ipguard:report:live 1:x 1:a')
    for (let i = 0; i < 9; i++) {
      await set(`rep:1:1:x:0::192.0.2.${i}`)
      await set(`rep-lease:1:1:x:0::192.0.2.${i}`)
    }
    expect(await store.get('ipguard:report:live 1:x 1:a')).toBe('x')
    expect([await store.get('rep:1:1:x:0::192.0.2.7'), await store.get('rep:1:1:x:0::192.0.2.8')]).toEqual([
      undefined,
      'x',
    ])
    await set('ended', SUITE_START)
    await set('rep-pause:1:x')
    expect(await store.get('ipguard:report:live 1:x 1:a')).toBe('x')
    await set('in the place of the ended one')
    expect(heard).toEqual([])
    await set('one too many')
    expect(heard).toEqual([expect.stringContaining('maxRecords = 3 records')])
  })

  it('undefined is the default', async () => {
    const store = memoryStore({ maxKeys: undefined, maxBans: undefined } as object)
    const [reply] = await store.hit([hitOf(limiter({ limit: 5, window: '1s' }), keyOf('192.0.2.1'))], {
      now: SUITE_START,
      commit: 'all',
    })
    expect(reply?.remaining).toBe(4)
  })
})
