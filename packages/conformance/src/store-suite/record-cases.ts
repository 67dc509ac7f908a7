import { START } from './store-kit.ts'
import type { StoreCase } from './store-suite.ts'

/** Names that break stores which use plain objects, separators or lines. */
const HOSTILE = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'a b',
  'a:b',
  '{tag}a',
  'a\r\nb',
  'nul\0nul',
  '*?[a-z]',
  'sn\u00f6w\u2603\u{1f4a5}',
  "'; DROP TABLE records; --",
  'x'.repeat(2_048),
]

export const recordCases: readonly StoreCase[] = [
  {
    name: 'record: absent until it is set, then as it was set',
    async run({ expect, store }) {
      expect(await store.get('verdict')).toBe(undefined)
      expect(await store.set('verdict', '{"score":80}', START + 1_000)).toBe(true)
      expect(await store.get('verdict')).toBe('{"score":80}')
    },
  },
  {
    name: 'record: set again, it is replaced, with its end',
    async run({ expect, store, at }) {
      await store.set('verdict', 'old', START + 1_000)
      expect(await store.set('verdict', 'new', START + 5_000)).toBe(true)
      at(4_999)
      expect(await store.get('verdict')).toBe('new')
    },
  },
  {
    name: 'record: ends at its time exactly, whenever it was set',
    async run({ expect, store, at }) {
      at(900)
      await store.set('lease', 'mine', START + 1_000)
      at(999)
      expect(await store.get('lease')).toBe('mine')
      at(1_000)
      expect(await store.get('lease')).toBe(undefined)
    },
  },
  {
    name: 'record: set again with an end that has passed, it is gone',
    async run({ expect, store, at }) {
      await store.set('verdict', 'old', START + 5_000)
      at(1_000)
      await store.set('verdict', 'new', START + 1_000)
      expect(await store.get('verdict')).toBe(undefined)
    },
  },
  {
    name: 'record: with ifAbsent only the first is set, until it ends',
    async run({ expect, store, at }) {
      const set = async (value: string, end: number): Promise<boolean> =>
        store.set('lease', value, START + end, { ifAbsent: true })
      expect([await set('first', 1_000), await set('second', 9_000)]).toEqual([true, false])
      at(999)
      expect([await set('late', 9_000), await store.get('lease')]).toEqual([false, 'first'])
      at(1_000)
      expect([await set('third', 2_000), await store.get('lease')]).toEqual([true, 'third'])
    },
  },
  {
    name: 'record: of many with ifAbsent in one turn, one is set',
    async run({ expect, store }) {
      const won = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => store.set('nonce', String(i), START + 1_000, { ifAbsent: true })),
      )
      expect(won.filter((set) => set).length).toBe(1)
      expect(await store.get('nonce')).toBe(String(won.indexOf(true)))
    },
  },
  {
    name: 'record: delete says whether there was one',
    async run({ expect, store, at }) {
      await store.set('verdict', 'x', START + 1_000)
      await store.set('lease', 'x', START + 1_000)
      expect([await store.delete('verdict'), await store.delete('verdict'), await store.get('verdict')]).toEqual([
        true,
        false,
        undefined,
      ])
      at(1_000)
      expect(await store.delete('lease')).toBe(false)
    },
  },
  {
    name: 'record: hostile keys are keys like others',
    async run({ expect, store }) {
      for (const key of HOSTILE) expect([key, await store.get(key)]).toEqual([key, undefined])
      for (const key of HOSTILE) await store.set(key, `value of ${key}`, START + 1_000)
      for (const key of HOSTILE) expect(await store.get(key)).toBe(`value of ${key}`)
      for (const key of HOSTILE) expect([key, await store.delete(key)]).toEqual([key, true])
    },
  },
  {
    name: 'record: values come back to the letter',
    async run({ expect, store }) {
      for (const value of ['', '0', 'null', ' ', 'a\r\nb\0c', '\u2028\u{1f4a5}', 'y'.repeat(65_536)]) {
        await store.set('value', value, START + 1_000)
        expect(await store.get('value')).toBe(value)
      }
    },
  },
]
