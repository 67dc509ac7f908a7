import { describe, expect, test } from 'vitest'
import { buildIpSet, ipSet } from './ip-set.ts'

const LINES: readonly string[] = Array.from({ length: 50_000 }, (_, i) =>
  i % 3 ? `${1 + (i % 200)}.${i % 251}.${i % 13}.${i % 256}` : `2001:db8:${(i % 65536).toString(16)}::/48`,
)

async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items
}

describe('buildIpSet', () => {
  test('equals ipSet, from an iterable, an async iterable, and batches', async () => {
    const lines = [...LINES.slice(0, 3000), '# end', '10.1.2.3/8']
    const bytes = new Uint8Array(ipSet(lines).toBytes())
    const batches = [lines.slice(0, 10), lines.slice(10, 2000), [], lines.slice(2000)]
    for (const entries of [
      lines,
      new Set(lines),
      later(lines),
      batches,
      later(batches),
      later([lines[0] ?? '', lines.slice(1)]),
    ]) {
      expect(new Uint8Array((await buildIpSet(entries)).toBytes())).toEqual(bytes)
    }
  })

  test('names the line of a bad entry across batches', async () => {
    await expect(
      buildIpSet(
        later([
          ['1.2.3.4', ''],
          ['5.6.7.8', 'x'],
        ]),
      ),
    ).rejects.toThrow('Line 4 of the list')
  })

  test('an error of the source rejects', async () => {
    async function* broken(): AsyncGenerator<string> {
      yield '1.2.3.4'
      throw new Error('connection lost')
    }
    await expect(buildIpSet(broken())).rejects.toThrow('connection lost')
  })

  test.each([
    ['lines', () => LINES],
    ['async lines', () => later(LINES)],
    ['one batch', () => [LINES]],
  ])('pauses whenever a slice is spent: %s', async (_, entries) => {
    // a clock that moves by one each time it is read: a slice of n allows n readings between two pauses
    const counts: number[] = []
    for (const slice of [1, 10, 1e9]) {
      let time = 0
      let pauses = 0
      await buildIpSet(entries(), { slice, clock: () => time++, pause: async () => void pauses++ })
      counts.push(pauses)
    }
    const [every = 0, tenth = 0, none] = counts
    // reading 50,000 lines looks at the clock every 512, sorting and laying out after every slice of rows
    expect(every).toBeGreaterThan(50_000 / 512 + 30)
    expect(tenth).toBeGreaterThan(every / 12)
    expect(tenth).toBeLessThan(every / 4)
    expect(none).toBe(0)
  })

  test('lets other work run', async () => {
    let turns = 0
    let done = false
    const tick = (): void => {
      turns++
      if (!done) setImmediate(tick)
    }
    setImmediate(tick)
    await buildIpSet(LINES, { slice: 0 })
    done = true
    expect(turns).toBeGreaterThan(50)
  })

  test.each([Number.NaN, -1, 0.5, '8', '8ms', null])('refuses a slice that is no time: %s', async (slice) => {
    await expect(buildIpSet([], { slice } as never)).rejects.toThrow('buildIpSet.slice is')
  })

  test('unknown options are refused', async () => {
    await expect(buildIpSet([], { slize: 1 } as object)).rejects.toThrow('Did you mean "slice"?')
  })
})
