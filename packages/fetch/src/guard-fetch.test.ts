import { createGuard, deny, policy, rateLimit } from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'
import { expect, it } from 'vitest'
import { guardFetch } from './guard-fetch.ts'

const request = (): Request => new Request('http://localhost/')
const peer = '203.0.113.7'

it('answers at once where the decision does', async () => {
  const answer = guardFetch(createGuard({ policies: [deny(['203.0.113.0/24'])] }), request(), { peer })
  if (answer instanceof Promise) throw new Error('It was waited for.')
  expect(answer.handle.decision.action).toBe('deny')
  expect(answer.refusal?.status).toBe(403)
  expect(await answer.refusal?.text()).toContain('"status":403')
})

it('waits where the decision is waited for', async () => {
  const slow = policy({ name: 'slow', evaluate: async () => ({ action: 'deny' }) })
  const answer = guardFetch(createGuard({ policies: [slow] }), request(), { peer })
  expect(answer).toBeInstanceOf(Promise)
  expect((await answer).refusal?.status).toBe(403)
})

it('gives the RateLimit headers to the response that it finishes, unless they are not wanted', async () => {
  const guard = createGuard({ store: memoryStore(), policies: [rateLimit({ limit: 2, window: '60s' })] })
  const shown = await guardFetch(guard, request(), { peer })
  expect(shown.finish(new Response('')).headers.get('ratelimit-policy')).toBe('"2-in-60s";q=2;w=60')
  const hidden = await guardFetch(guard, request(), { peer }, { headers: false })
  expect([...hidden.finish(new Response('')).headers.keys()]).toEqual(['content-type'])
})

it('refuses HEAD without a body', async () => {
  const head = new Request('http://localhost/', { method: 'HEAD' })
  const { refusal } = await guardFetch(createGuard({ policies: [deny([peer])] }), head, { peer })
  expect([refusal?.status, refusal?.body]).toEqual([403, null])
})
