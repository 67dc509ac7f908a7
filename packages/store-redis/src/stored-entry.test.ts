import { createEntry, parsePrefix } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { createEntryParser, renderEntry } from './stored-entry.ts'

describe('a parser of many entries', () => {
  it('gives each as it was written, whether they have texts in common or not', () => {
    const parse = createEntryParser()
    const entries = Array.from({ length: 3_000 }, (_, i) =>
      createEntry(parsePrefix(`2001:db8::${i.toString(16)}`), {
        kind: 'ban',
        by: i % 2 ? 'manual' : 'sign-in attempts',
        createdAt: i,
        ...(i % 3 === 0 && { expiresAt: 2 * i }),
        ...(i % 4 > 0 && { reason: i % 4 === 1 ? 'many times' : `for the ${i}th time` }),
        ...(i % 5 === 0 && { policy: 'sign-in attempts', tier: 'second offence' }),
      }),
    )
    const parsed = entries.map((entry) => parse(renderEntry(entry)))
    expect(parsed).toEqual(entries)
    expect(parsed.every((entry) => Object.isFrozen(entry))).toBe(true)
  })
})
