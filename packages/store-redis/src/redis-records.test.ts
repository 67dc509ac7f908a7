import { expect, it } from 'vitest'
import type { Connection } from './connection.ts'
import { createKeys } from './keys.ts'
import { createRedisRecords } from './redis-records.ts'

const NOW = 1_800_000_000_000

/** A connection with copies that says what it was asked, in order. */
function recordsOn(answer: () => unknown, clock?: { now(): number }) {
  const log: string[] = []
  const connection: Connection = {
    name: 'fake',
    cluster: false,
    writesAtOnce: false,
    ready: () => true,
    inParts: () => false,
    async send(_key, [command = '']) {
      log.push(command)
      return answer()
    },
    sendToAll: async () => [],
    findings: () => [],
    copies: {
      async get() {
        log.push('copy')
        return `${NOW + 1_000}:clean`
      },
      forget: () => void log.push('forget'),
    },
  }
  return { log, records: createRedisRecords({ connection, keys: createKeys('p'), clock }) }
}

it('after a change made here the copy is forgotten, whether the server has said so or not', async () => {
  const { log, records } = recordsOn(() => 1)
  await records.set('verdict', 'clean', Date.now() + 60_000)
  await records.set('verdict', 'clean', Date.now() + 60_000, { ifAbsent: true })
  await records.set('verdict', 'clean', 0)
  await records.delete('verdict')
  expect(log).toEqual(['SET', 'forget', 'EVALSHA', 'forget', 'DEL', 'forget', 'GETDEL', 'forget'])
})

it('a change that failed may have been made', async () => {
  const { log, records } = recordsOn(() => Promise.reject(new Error('gone')))
  await expect(records.set('verdict', 'clean', Date.now() + 60_000)).rejects.toThrow('gone')
  await expect(records.delete('verdict')).rejects.toThrow('gone')
  expect(log).toEqual(['SET', 'forget', 'GETDEL', 'forget'])
})

it('a copy is read until its end, and then the server is asked', async () => {
  let now = NOW + 999
  const { log, records } = recordsOn(() => null, { now: () => now })
  expect(await records.get('verdict')).toBe('clean')
  now++
  expect(await records.get('verdict')).toBe(undefined)
  expect(log).toEqual(['copy', 'copy', 'GET'])
})
