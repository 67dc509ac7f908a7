import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Connection } from './connection.ts'
import { createEntryFeed, type EntryFeed } from './entry-feed.ts'
import { createKeys } from './keys.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A feed over a Redis that answers those looks that the client does not lose. */
function feedThatLoses(isLost: (look: number) => boolean): { readonly feed: EntryFeed; readonly looks: () => number } {
  let looks = 0
  const connection: Partial<Connection> = {
    ready: () => true,
    send: () => (isLost(++looks) ? new Promise(() => {}) : Promise.resolve(['epoch', 0, 'nonce', []])),
  }
  const feed = createEntryFeed({
    connection: connection as Connection,
    keys: createKeys('prefix'),
    subscriber: undefined,
    onLook: () => {},
    onLost: () => {},
  })
  feed.watch(() => {})
  return { feed, looks: () => looks }
}

test('has begun when a later look is answered, if the client has lost the first', async () => {
  const { feed } = feedThatLoses((look) => look === 1)
  let hasBegun = false
  void feed.started().then(() => {
    hasBegun = true
  })
  await vi.advanceTimersByTimeAsync(1_000)
  expect(hasBegun).toBe(false)
  await vi.advanceTimersByTimeAsync(500)
  expect(hasBegun).toBe(true)
})

test('looks as often as before when half a minute after a loss, however many were lost', async () => {
  const { looks } = feedThatLoses((look) => look <= 8)
  await vi.advanceTimersByTimeAsync(2 * 60_000)
  const before = looks()
  expect(before).toBeGreaterThan(8)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(looks() - before).toBe(40)
})

test('sends no more than four while none is answered, and four again after half a minute', async () => {
  const { looks } = feedThatLoses(() => true)
  await vi.advanceTimersByTimeAsync(29_000)
  expect(looks()).toBe(4)
  await vi.advanceTimersByTimeAsync(30_000)
  expect(looks()).toBe(8)
})
