import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readObjects } from './crowdsec-body.ts'

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(text: string | Uint8Array, size = 1e6): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const lists: Record<string, unknown[]> = {}
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  await readObjects(inChunks(bytes, size), (list, value) => {
    lists[list] = [...(lists[list] ?? []), value]
  })
  return lists
}

it.each([
  'stream-startup',
  'stream-startup-empty',
  'stream-startup-default-scopes',
  'stream-delta',
  'stream-delta-empty',
])('reads the recorded answer %s as JSON.parse does, however it is cut', async (name) => {
  const text = readFileSync(new URL(`../test/data/crowdsec/${name}.json`, import.meta.url), 'utf8')
  const whole = Object.entries(JSON.parse(text) as object).filter(
    ([, value]) => Array.isArray(value) && value.length > 0,
  )
  for (const size of [1, 2, 7, 64, 1e6]) expect(await read(text, size)).toEqual(Object.fromEntries(whole))
})

it('reads any objects as JSON.parse does, with texts that look like JSON, other members and other lists', async () => {
  const item = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
  const body = fc.record({ new: fc.array(item), 'odd "[{': fc.jsonValue({ maxDepth: 1 }), deleted: fc.array(item) })
  await fc.assert(
    fc.asyncProperty(body, fc.integer({ min: 1, max: 50 }), fc.constantFrom(0, 2), async (value, size, indent) => {
      const lists = await read(JSON.stringify(value, null, indent), size)
      const plain = JSON.parse(JSON.stringify(value)) as typeof value
      expect([lists.new ?? [], lists.deleted ?? []]).toEqual([plain.new, plain.deleted])
    }),
    { numRuns: 200 },
  )
})

const TEXT = '{"deleted":null,"new":[{"value":"1.2.3.4"},{"value":"1.2.3.5"}]}'

it.each(Array.from({ length: TEXT.length }, (_, length) => length))(
  'refuses it cut after %i characters',
  async (length) => {
    await expect(read(TEXT.slice(0, length))).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_ANSWER' })
  },
)

it.each([
  '<html></html>',
  'null',
  '[]',
  '[{"value":1}]',
  '"text"',
  '1',
  '',
  `${TEXT}x`,
  `${TEXT}${TEXT}`,
  '{"new":[{"a":}]}',
  '{"new":[{"a":1]}',
])('refuses %s', async (text) => {
  await expect(read(text)).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_ANSWER' })
})

it('refuses bytes that are no UTF-8, and one object without end', async () => {
  await expect(read(new Uint8Array([0x7b, 0x22, 0xff]))).rejects.toMatchObject({ code: 'IPGUARD_PROVIDER_ANSWER' })
  const endless = `{"new":[{"value":"${'x'.repeat(200_000)}`
  await expect(read(endless, 10_000)).rejects.toThrow('is not what a CrowdSec Local API sends')
})
