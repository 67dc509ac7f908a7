import { type Store, systemClock } from '@ipguard/core'
import { type Connection, checkReady, runScript, sendNow } from './connection.ts'
import type { Keys } from './keys.ts'
import { createScript, timeArgument } from './script.ts'

export interface RedisRecordsOptions {
  readonly connection: Connection
  readonly keys: Keys
  readonly clock: { now(): number } | undefined
}

/** With a clock of its own, Redis keeps a record longer, and who reads it looks at its end. */
const GRACE = 3_600_000

/** KEYS: the record. ARGV: value, ms to live, and with a clock of the caller's its time. Answers 1 when there was none that is live. */
const SET_IF_ABSENT = createScript(`
local held = redis.call('GET', KEYS[1])
if held and ARGV[3] ~= '' and tonumber(string.match(held, '^%d+')) <= tonumber(ARGV[3]) then held = false end
if held then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`)

/**
 * Records: a value as text behind its end (epoch ms). They expire by delta, so a server whose clock is off keeps them as long as was said.
 * A client with client-side caching (RESP3) answers from its own memory what it has read before, until the server says that it was changed.
 */
export function createRedisRecords({
  connection,
  keys,
  clock,
}: RedisRecordsOptions): Required<Pick<Store, 'get' | 'set' | 'delete'>> {
  const time = clock ?? systemClock()
  const { copies } = connection

  function valueIn(held: unknown): string | undefined {
    if (typeof held !== 'string') return undefined
    const cut = held.indexOf(':')
    if (clock && Number(held.slice(0, cut)) <= clock.now()) return undefined
    return held.slice(cut + 1)
  }

  async function read(name: string): Promise<unknown> {
    if (copies) {
      checkReady(connection, name)
      const held = await copies.get(name)
      // The server tells of an end some time after it: what seems to have ended is asked for.
      if (typeof held !== 'string' || Number.parseInt(held, 10) > time.now()) return held
    }
    return sendNow(connection, name, ['GET', name])
  }

  async function set(name: string, value: string, expiresAt: number, ifAbsent: boolean): Promise<boolean> {
    const left = Math.ceil(expiresAt - time.now())
    const text = `${expiresAt}:${value}`
    if (left <= 0) {
      // It has ended already: as if it had been set and had expired.
      const held = ifAbsent && valueIn(await sendNow(connection, name, ['GET', name])) !== undefined
      if (!held) await sendNow(connection, name, ['DEL', name])
      return !held
    }
    const ttl = String(clock ? left + GRACE : left)
    if (!ifAbsent) {
      await sendNow(connection, name, ['SET', name, text, 'PX', ttl])
      return true
    }
    const now = timeArgument(clock)
    return Number(await runScript(connection, SET_IF_ABSENT, [name], [text, ttl, now])) === 1
  }

  return {
    async get(key) {
      return valueIn(await read(keys.record(key)))
    },
    async set(key, value, expiresAt, { ifAbsent = false } = {}) {
      const name = keys.record(key)
      try {
        return await set(name, value, expiresAt, ifAbsent)
      } finally {
        // Also when it failed: it may have been done.
        copies?.forget(name)
      }
    },
    async delete(key) {
      const name = keys.record(key)
      try {
        return valueIn(await sendNow(connection, name, ['GETDEL', name])) !== undefined
      } finally {
        copies?.forget(name)
      }
    },
  }
}
