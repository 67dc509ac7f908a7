import { expect, it } from 'vitest'
import { createGuard } from '../create-guard.ts'
import { deny } from '../policy/lists.ts'
import { policy } from '../policy/policy.ts'
import { answerRequest } from './answer-request.ts'

const request = new Request('http://localhost/')

it('answers at once where the decision does', () => {
  const guard = createGuard({ policies: [deny(['203.0.113.0/24'])] })
  expect(answerRequest(guard, request, { peer: '192.0.2.1' })).toMatchObject({
    handle: { decision: { action: 'allow' } },
    refusal: undefined,
  })
  expect(answerRequest(guard, new Request('http://localhost/'), { peer: '203.0.113.7' })).toMatchObject({
    handle: { decision: { action: 'deny' } },
    refusal: { status: 403 },
    headers: {},
  })
})

it('waits where the decision is waited for', async () => {
  const slow = policy({ name: 'slow', evaluate: async () => ({ action: 'deny' }) })
  const answer = answerRequest(createGuard({ policies: [slow] }), request, { peer: '192.0.2.1' })
  expect(answer).toBeInstanceOf(Promise)
  expect((await answer).refusal?.status).toBe(403)
})
