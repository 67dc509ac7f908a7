import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { createGuard, deny, onPaths, policy } from '@ipguard/core'
import { expect, it } from 'vitest'
import { askGuard } from './ask-guard.ts'

function message(url: string): IncomingMessage {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: '192.0.2.1' })
  return Object.assign(new IncomingMessage(socket), { method: 'GET', url })
}

it('gives the facts of the framework’s request to the policies, and the peer', async () => {
  const seen: unknown[] = []
  const watch = policy<string>({ name: 'watch', evaluate: ({ facts, client }) => void seen.push(facts, client?.ip) })
  const guard = createGuard<string>({ policies: [watch] })
  const { refusal } = await askGuard(guard, message('/'), { user: 'ann' }, { facts: ({ user }) => user })
  expect([seen, refusal]).toEqual([['ann', '192.0.2.1'], undefined])
})

it('is about the given URL and that of the request: a rule that refuses holds for both', async () => {
  const guard = createGuard({ policies: [deny(['192.0.2.0/24'], { when: onPaths('/admin') })] })
  const statuses = [
    await askGuard(guard, message('/admin'), {}),
    await askGuard(guard, message('/rewritten'), {}, {}, '/admin'),
    await askGuard(guard, message('/admin'), {}, {}, '/public'),
    await askGuard(guard, message('/rewritten'), {}, {}, '/public'),
  ].map(({ refusal }) => refusal?.status)
  expect(statuses).toEqual([403, 403, 403, undefined])
})
