import { afterEach, expect, it, vi } from 'vitest'
import { dnsbl } from './dnsbl.ts'
import { httpbl } from './httpbl.ts'

const context = { signal: new AbortController().signal }
afterEach(() => {
  vi.doUnmock('node:dns/promises')
})

it.each([
  ['that is not there', () => Promise.reject(new Error('No such module "node:dns/promises".'))],
  ['without a resolver', () => ({ default: {}, Resolver: undefined })],
])('says with a node:dns %s what is missing and what to do, at the first look-up', async (_name, module) => {
  vi.doMock('node:dns/promises', module)
  for (const provider of [dnsbl({ zone: 'list.test' }), httpbl({ key: 'abcdefghijkl' })]) {
    await expect(provider.lookup('203.0.113.7', context)).rejects.toMatchObject({
      code: 'IPGUARD_DNS_MISSING',
      message: expect.stringContaining('Give the provider a function as `resolve`'),
    })
  }
})

it('needs no node:dns with a resolver of its own', async () => {
  vi.doMock('node:dns/promises', () => ({ default: {}, Resolver: undefined }))
  const resolve = async (): Promise<readonly string[]> => ['127.3.45.5']
  expect(await httpbl({ key: 'abcdefghijkl', resolve }).lookup('203.0.113.7', context)).toMatchObject({ score: 70 })
})
