import { createHash } from 'node:crypto'
import { type CounterKey, parsePrefix } from '@ipguard/core'

/**
 * Where everything stands in Redis. `1` is the version of the layout. What is between braces decides the slot on a cluster: all of one
 * client is on one node, and the registry of entries is on one.
 */
export interface Keys {
  /** The key with the counters, strikes and bans of a client. */
  client(text: string): string
  /** The same for a counter's key; a custom one is anybody's text, so 128 bits of its hash stand for it. */
  counted(key: CounterKey): string
  /** The client whose prefix this is, as hits name it; undefined when no client's can be. */
  clientOf(cidr: string): string | undefined
  /** The key of the client whose prefix this is; undefined when no client's can be. */
  ofPrefix(cidr: string): string | undefined
  record(key: string): string
  readonly registry: Readonly<Record<'all' | 'ends' | 'gone' | 'log' | 'meta' | 'struck' | 'settings', string>>
  /** On which changes of the registry are announced. */
  readonly channel: string
}

export function createKeys(prefix: string): Keys {
  const start = `${prefix}:1:`
  const registry = (part: string): string => `${start}{entries}:${part}`
  const client = (text: string): string => `${start}{${text}}`
  return {
    client,
    counted: ({ kind, text }) => client(kind === 0 ? `=${digest(text)}` : text),
    clientOf,
    ofPrefix(cidr) {
      const own = clientOf(cidr)
      return own === undefined ? undefined : client(own)
    },
    record: (key) => `${start}record:${key.length}:${key}`,
    registry: {
      all: registry('all'),
      ends: registry('ends'),
      gone: registry('gone'),
      log: registry('log'),
      meta: registry('meta'),
      struck: registry('struck'),
      settings: registry('settings'),
    },
    channel: registry('changes'),
  }
}

function clientOf(cidr: string): string | undefined {
  const { address, length } = parsePrefix(cidr)
  if (address.family === 4) return length === 32 ? cidr.slice(0, -3) : undefined
  // A guard counts IPv6 clients by 32 to 128 bits.
  return length < 32 ? undefined : length === 128 ? cidr.slice(0, -4) : cidr
}

/** Of any text, also of one that is not well-formed Unicode. */
export function digest(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('base64url').slice(0, 22)
}
