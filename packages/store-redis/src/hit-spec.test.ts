import { customKey, hitOf, keyOf, limiter } from '@ipguard/conformance'
import type { Hit, HitCommit } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { banField, hitSpec } from './hit-spec.ts'
import { createKeys } from './keys.ts'

const keys = createKeys('p')
const client = keyOf('203.0.113.7')
const other = keyOf('203.0.113.8')
const ladder = [{ name: 'jail', ban: '1h', after: 2 }] as const
const plain = limiter({ name: 'plain', limit: 5, window: '10s' })
const climbing = limiter({ name: 'climbing', limit: 5, window: '10s', ladder })
const bucket = limiter({ name: 'bucket', limit: 5, window: '10s', algorithm: 'token-bucket' })

/** commit, keys, hits, simple */
function specOf(hits: readonly Hit[], commit: HitCommit = 'all'): [number, number, unknown[][], boolean] {
  return JSON.parse(hitSpec(hits, commit, keys).spec)
}

describe('hitSpec', () => {
  it('names each client once, in the order of the hits', () => {
    const hits = [hitOf(plain, client), hitOf(plain, other), hitOf(bucket, client)]
    expect(hitSpec(hits, 'all', keys).keys).toEqual(['p:1:{203.0.113.7}', 'p:1:{203.0.113.8}'])
    const [, count, body] = specOf(hits)
    expect([count, body.map(([at]) => at)]).toEqual([2, [1, 2, 1]])
  })

  it.each([
    ['one hit of a window', [hitOf(plain, client)], 'all', true],
    ['with a ladder', [hitOf(climbing, client)], 'all', true],
    ['a read', [hitOf(plain, client, { cost: 0 })], 'all', false],
    ['a refund', [hitOf(plain, client, { cost: -1, slot: 3 })], 'all', false],
    ['a strike', [hitOf(climbing, client, { strike: true })], 'all', false],
    ['a bucket', [hitOf(bucket, client)], 'all', false],
    ['strikes only', [hitOf(limiter({ ladder }), client)], 'all', false],
    ['two hits', [hitOf(plain, client), hitOf(bucket, client)], 'all', false],
    ['nothing to consume', [hitOf(plain, client)], 'refusals', false],
    ['only to be read', [hitOf(plain, client)], 'none', false],
    ['a lease', [{ ...hitOf(plain, client), lease: 3 }], 'all', false],
  ] as const)('what the script may count in short, %s: %j', (_name, hits, commit, simple) => {
    expect(specOf(hits, commit)[3]).toBe(simple)
  })

  it('is the same text for hits that differ in the client only, and another one for anything else', () => {
    const text = (hit: Hit, commit: HitCommit = 'all'): string => hitSpec([hit], commit, keys).spec
    const base = hitOf(climbing, client)
    expect(text(hitOf(climbing, other))).toBe(text(base))
    const differing: readonly string[] = [
      text(base),
      text(base, 'none'),
      text(base, 'refusals'),
      text({ ...base, limit: 4 }),
      text({ ...base, burst: 4, limit: 5 }),
      text({ ...base, cost: 2 }),
      text({ ...base, cost: -1, slot: 7 }),
      text({ ...base, cost: -1, slot: 8 }),
      text({ ...base, strike: true }),
      text({ ...base, exempt: true }),
      text(hitOf(plain, client)),
      text(hitOf(limiter({ name: 'climbing', limit: 5, window: '10s', ladder }, true), client)),
      text({ ...base, lease: 2 } as Hit),
    ]
    expect(new Set(differing).size).toBe(differing.length)
    // And again, from what was kept.
    expect(text(base)).toBe(differing[0])
    expect(text({ ...base, limit: 4 })).toBe(differing[3])
  })

  it('jitter lengthens by the share that the ladder allows', () => {
    const jittery = limiter({ limit: 5, window: '10s', ladder: { tiers: ladder, jitter: 0.5 } })
    const factor = (hit: Hit): unknown => (specOf([hit])[2][0]![11] as unknown[])[5]
    expect([0, 0.5].map((jitter) => factor(hitOf(jittery, client, { jitter })))).toEqual([1, 1.25])
    expect(factor(hitOf(climbing, client, { jitter: 0.5 }))).toBe(1)
  })

  it('a custom key neither strikes nor is banned', () => {
    const hit = specOf([hitOf(climbing, customKey('token'))])[2][0]!
    expect([hit[10], (hit[11] as unknown[])[1]]).toEqual([[], true])
  })

  it('an endless limit is as much as a counter holds', () => {
    const hit = specOf([hitOf(plain, client, { limit: Number.POSITIVE_INFINITY })])[2][0]!
    expect([hit[4], hit[5]]).toEqual([0xffff_ffff, 0xffff_ffff])
  })

  it('a counter sees the bans of the site and of its own scope; a shadow one its own only', () => {
    const bans = (options: object, shadow = false): unknown =>
      specOf([hitOf(limiter({ name: 'n', limit: 1, window: '10s', ...options }, shadow), client)])[2][0]?.[10]
    const own = banField('ban "n"')
    expect(bans({ ladder })).toEqual(['b'])
    expect(bans({ ladder: { tiers: ladder, scope: 'policy' } })).toEqual(['b', own])
    expect(bans({ ladder }, true)).toEqual([banField('ban shadow "n"')])
    expect(own).not.toBe(banField('ban shadow "n"'))
  })
})
