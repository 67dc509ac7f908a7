import type { Client, Decision, Finding } from '@ipguard/core'
import { expect, it } from 'vitest'
import { observeTrust } from './observe-trust.ts'

const decision = (ip: string | undefined): Decision =>
  ({ client: ip === undefined ? undefined : ({ ip } as Client) }) as unknown as Decision

function observing(): {
  readonly told: Finding[]
  readonly observe: (theirs: string | undefined, ours?: string) => void
} {
  const told: Finding[] = []
  const observe = observeTrust<string | undefined>({
    onWarning: (warning) => told.push(warning),
    setting: 'The setting',
    example: 'set(1)',
    clientOf: (native) => native,
  })
  return { told, observe: (theirs, ours) => observe(theirs, decision(ours)) }
}

it.each<readonly [string, string | undefined, string | undefined, number]>([
  ['two clients', '203.0.113.9', '192.0.2.1', 1],
  ['one client, written in two ways', '::ffff:192.0.2.1', '192.0.2.1', 0],
  ['a framework whose setting is off', undefined, '192.0.2.1', 0],
  ['a framework that passes on text', 'unknown', '192.0.2.1', 0],
  ['a guard that found no client', '203.0.113.9', undefined, 0],
])('%s', (_what, theirs, ours, count) => {
  const { told, observe } = observing()
  observe(theirs, ours)
  expect(told).toHaveLength(count)
})

it('tells it once, with what to write', () => {
  const { told, observe } = observing()
  for (let i = 0; i < 3; i++) observe('203.0.113.9', '192.0.2.1')
  expect(told).toEqual([
    {
      code: 'IPGUARD_TRUST_DISAGREES',
      message: expect.stringMatching(
        /^The setting and ipguard's clientIp name different .* in both: set\(1\) and clientIp: nginx/,
      ),
    },
  ])
})

it.each(['clientOf', 'onWarning'])('fails no request where %s throws', (name) => {
  const fails = (): never => {
    throw new Error('on purpose')
  }
  const trust = { onWarning: () => {}, setting: 'The setting', example: 'set(1)', clientOf: () => '203.0.113.9' }
  const observe = observeTrust({ ...trust, [name]: fails })
  expect(() => observe({}, decision('192.0.2.1'))).not.toThrow()
})

it('looks at the first thousand requests only', () => {
  const { told, observe } = observing()
  for (let i = 0; i < 1_000; i++) observe('192.0.2.1', '192.0.2.1')
  observe('203.0.113.9', '192.0.2.1')
  expect(told).toEqual([])
})
