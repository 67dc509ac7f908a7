import type { IpGuardError } from '@ipguard/core'
import { describe, expect, it } from 'vitest'
import { connectionOf, subscriberOf } from './connect-client.ts'
import type { RedisClient } from './redis-client.ts'
import { slotOf } from './slot-of.ts'

/** Clients as their libraries make them, as far as the store looks at them. */
const methods = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, async () => 'OK']))
const nodeRedis = (fields: object = {}): RedisClient =>
  ({
    ...methods(['sendCommand', 'duplicate', 'subscribe', 'unsubscribe', 'get']),
    isReady: true,
    isPubSubActive: false,
    ...fields,
  }) as unknown as RedisClient // a fake, here and below
const nodeCluster = (fields: object = {}): RedisClient =>
  ({
    ...methods(['sendCommand', 'nodeClient', 'duplicate', 'subscribe', 'unsubscribe', 'get']),
    isOpen: true,
    slots: [],
    masters: [],
    ...fields,
  }) as unknown as RedisClient
const nodeSentinel = (fields: object = {}): RedisClient =>
  ({
    ...methods(['sendCommand', 'getMasterNode', 'duplicate', 'subscribe', 'unsubscribe', 'get']),
    isReady: true,
    ...fields,
  }) as unknown as RedisClient
const ioRedis = (fields: object = {}): RedisClient =>
  ({
    ...methods(['call', 'subscribe', 'unsubscribe', 'on']),
    status: 'ready',
    mode: 'normal',
    options: {},
    ...fields,
  }) as unknown as RedisClient

const codeOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as IpGuardError).code
  }
  return 'none'
}

describe('connectionOf', () => {
  it.each([
    ['node-redis', nodeRedis(), false],
    ['node-redis cluster', nodeCluster(), true],
    ['node-redis sentinel', nodeSentinel(), false],
    ['ioredis', ioRedis(), false],
    ['ioredis cluster', ioRedis({ isCluster: true, mode: undefined, slots: [], nodes: () => [] }), true],
  ])('knows %s', (name, client, cluster) => {
    const connection = connectionOf(client)
    expect([connection.name, connection.cluster]).toEqual([name, cluster])
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a url', 'redis://127.0.0.1'],
    ['options', { host: '127.0.0.1' }],
    ['an old client', { ...methods(['send_command', 'get']) }],
    ['a pool', methods(['sendCommand', 'execute', 'duplicate'])],
    ['a connection of node-redis that listens', nodeRedis({ isPubSubActive: true })],
    ['a connection of ioredis that listens', ioRedis({ mode: 'subscriber' })],
    ['a connection of ioredis that monitors', ioRedis({ mode: 'monitor' })],
  ])('refuses %s', (_name, client) => {
    expect(codeOf(() => connectionOf(client as RedisClient))).toBe('IPGUARD_REDIS_CLIENT_INVALID')
  })

  it.each([
    [nodeRedis(), true],
    [nodeRedis({ isReady: false }), false],
    [nodeSentinel({ isReady: false }), false],
    [ioRedis(), true],
    [ioRedis({ status: 'wait' }), true],
    [ioRedis({ status: 'connecting' }), false],
    [ioRedis({ status: 'reconnecting' }), false],
    [ioRedis({ status: 'end' }), false],
    [nodeCluster({ isOpen: false }), false],
    [nodeCluster(), false],
  ])('says whether a command would go out now: case %#', (client, ready) => {
    expect(connectionOf(client).ready('{a}')).toBe(ready)
  })

  it('on a cluster it is the node of the key that counts: node-redis', () => {
    const node = (isReady: boolean): object => ({ master: { client: { isReady } } })
    const slots = Object.assign([], {
      [slotOf('a')]: node(true),
      [slotOf('b')]: node(false),
      [slotOf('c')]: { master: {} },
    })
    const connection = connectionOf(nodeCluster({ slots }))
    expect(['a', 'b', 'c', 'nowhere'].map((key) => connection.ready(key))).toEqual([true, false, true, false])
  })

  it('on a cluster it is the node of the key that counts: ioredis', () => {
    const node = (port: number, status: string): object => ({ options: { host: '127.0.0.1', port }, status })
    const statuses = ['ready', 'wait', 'connecting', 'connect', 'close', 'end']
    const keys = statuses.map((status) => `key of ${status}`)
    const slots = Object.assign([], ...keys.map((key, i) => ({ [slotOf(key)]: [`127.0.0.1:${i}`] })))
    const nodes = (): object[] => statuses.map((status, i) => node(i, status))
    const connection = connectionOf(ioRedis({ isCluster: true, slots, nodes }))
    // A node is connected when it is first asked: that is not being away.
    expect(keys.map((key) => connection.ready(key))).toEqual([true, true, true, true, false, false])
  })

  it('tells of an ioredis cluster client that sends again', () => {
    const codes = (options: object): readonly string[] =>
      connectionOf(ioRedis({ isCluster: true, slots: [], nodes: () => [], options }))
        .findings()
        .map(({ code }) => code)
    expect(codes({ retryDelayOnFailover: 100 })).toEqual(['IPGUARD_REDIS_RESENDS'])
    expect(codes({ retryDelayOnFailover: 0 })).toEqual([])
  })

  it('keeps copies only with a cache of the client, and not with a prefix of its own', async () => {
    const clientSideCache = { invalidate: () => {} }
    expect(connectionOf(nodeRedis()).copies).toBe(undefined)
    expect(connectionOf(nodeRedis({ clientSideCache, _keyPrefix: 'mine:' })).copies).toBe(undefined)
    for (const make of [nodeRedis, nodeCluster, nodeSentinel]) {
      const get = async (): Promise<unknown> => new Uint8Array(Buffer.from('text'))
      expect(await connectionOf(make({ clientSideCache, get })).copies?.get('key')).toBe('text')
      const none = async (): Promise<unknown> => null
      expect(await connectionOf(make({ clientSideCache, get: none })).copies?.get('key')).toBe(null)
    }
  })
})

describe('subscriberOf', () => {
  it('refuses the client itself, and what cannot subscribe', () => {
    const client = nodeRedis()
    expect(codeOf(() => subscriberOf(client, client))).toBe('IPGUARD_REDIS_CLIENT_INVALID')
    expect(codeOf(() => subscriberOf(methods(['get']) as RedisClient, client))).toBe('IPGUARD_REDIS_CLIENT_INVALID')
  })

  it.each([nodeRedis(), nodeCluster(), nodeSentinel(), ioRedis()])('takes every client: case %#', (subscriber) => {
    expect(codeOf(() => subscriberOf(subscriber, nodeRedis()))).toBe('none')
  })

  it('ioredis tells of its own channel only, and once however often it was subscribed to', async () => {
    const heard: string[] = []
    const listeners: ((channel: string) => void)[] = []
    const subscriber = subscriberOf(
      ioRedis({ on: (_event: string, listener: (channel: string) => void) => listeners.push(listener) }),
      nodeRedis(),
    )
    for (let i = 0; i < 2; i++) await subscriber.subscribe('changes', () => heard.push('changes'))
    for (const listener of listeners) for (const channel of ['changes', 'other']) listener(channel)
    expect(heard).toEqual(['changes'])
  })
})
