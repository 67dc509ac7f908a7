import { customKey, keyOf } from '@ipguard/conformance'
import { describe, expect, it } from 'vitest'
import { createKeys, digest } from './keys.ts'
import { slotOf } from './slot-of.ts'

const keys = createKeys('shop')

describe('keys', () => {
  it.each([
    ['203.0.113.7', 'shop:1:{203.0.113.7}'],
    ['2001:db8::/64', 'shop:1:{2001:db8::/64}'],
    ['2001:db8::1', 'shop:1:{2001:db8::1}'],
  ])('of client %s is %s', (text, key) => {
    expect(keys.client(text)).toBe(key)
    expect(keys.counted(keyOf(text))).toBe(key)
  })

  it.each([
    ['203.0.113.7/32', 'shop:1:{203.0.113.7}'],
    ['203.0.113.0/24', undefined],
    ['0.0.0.0/0', undefined],
    ['2001:db8::/64', 'shop:1:{2001:db8::/64}'],
    ['2001:db8::/56', 'shop:1:{2001:db8::/56}'],
    ['2001:db8::/32', 'shop:1:{2001:db8::/32}'],
    ['2000::/31', undefined],
    ['2001:db8::1/128', 'shop:1:{2001:db8::1}'],
  ])('the client that the prefix %s is, is at %s', (cidr, key) => {
    expect(keys.ofPrefix(cidr)).toBe(key)
  })

  it('a custom key is a hash, whatever it holds, and never that of a client', () => {
    const texts = ['', '203.0.113.7', '{entries}:all', 'a}b', '\ud83d', '\ud83c', 'x'.repeat(2_048)]
    const made = texts.map((text) => keys.counted(customKey(text)))
    for (const key of made) expect(key).toMatch(/^shop:1:\{=[\w-]{22}\}$/)
    expect(new Set(made).size).toBe(texts.length)
  })

  it('all of one client is in one slot, and so is the registry', () => {
    const other = createKeys('other')
    expect(slotOf(keys.client('203.0.113.7'))).toBe(slotOf(other.client('203.0.113.7')))
    expect(new Set([...Object.values(keys.registry), keys.channel].map(slotOf)).size).toBe(1)
  })

  it('a record cannot be another one, nor anything else', () => {
    const names = ['a', 'a:b', '1:a', '{entries}:all', '{203.0.113.7}', '']
    const made = names.map((name) => keys.record(name))
    expect(new Set([...made, ...Object.values(keys.registry), keys.client('203.0.113.7')]).size).toBe(names.length + 8)
    for (const key of made) expect(key.startsWith('shop:1:record:')).toBe(true)
  })

  it('a digest tells texts apart that UTF-8 does not', () => {
    expect(digest('\ud83d')).not.toBe(digest('\ufffd'))
  })
})
