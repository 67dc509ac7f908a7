import { describe, type Finding, IpGuardError } from '@ipguard/core'
import type { Script } from './script.ts'

/** What the store needs of a client of whatever make. */
export interface Connection {
  /** For people: `node-redis`, `ioredis cluster`. */
  readonly name: string
  readonly cluster: boolean
  /** A command is on the wire when `send` returns, and does not wait for the end of the turn. */
  readonly writesAtOnce: boolean
  /** Whether a command about this key goes out now. If not it would only wait in a queue of the client's, which may have no end. */
  ready(key: string): boolean
  /** Whether others of its nodes may be asked when one is not ready. */
  inParts(): boolean
  /** Sends one command to the node that has the key. */
  send(key: string, args: readonly string[]): Promise<unknown>
  /** The same command to every node that can be written to. */
  sendToAll(args: readonly string[]): Promise<readonly unknown[]>
  /** What the client's own settings make worse, and what to write instead. */
  findings(): readonly Finding[]
  /** Where the client keeps copies of what it reads, and is told by the server when they are old (client-side caching). */
  readonly copies?: Copies | undefined
}

export interface Copies {
  /** Reads a text, from the copy if there is one. */
  get(key: string): Promise<unknown>
  /** The key was changed here: its copy is old before the server says so. */
  forget(key: string): void
}

/** A second connection that hears of changes at once. */
export interface Subscriber {
  /** Calls `heard` at every message; rejects when the connection cannot subscribe now. */
  subscribe(channel: string, heard: () => void): Promise<void>
  unsubscribe(channel: string): Promise<void>
}

/** Sends a command, unless it would have to wait for a connection. */
export async function sendNow(connection: Connection, key: string, args: readonly string[]): Promise<unknown> {
  checkReady(connection, key)
  return connection.send(key, args)
}

/**
 * Runs a script by its name; a server that does not know it is given the text, once. Nothing else is ever sent again: what was lost on
 * the way may have counted.
 */
export async function runScript(
  connection: Connection,
  { sha, text }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  const [first = ''] = keys
  checkReady(connection, first)
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await connection.send(first, ['EVALSHA', sha, ...rest])
  } catch (error) {
    if (!isReply(error, 'NOSCRIPT')) throw error
    return connection.send(first, ['EVAL', text, ...rest])
  }
}

/** Whether this is the server's error of that kind. */
export function isReply(error: unknown, kind: string): boolean {
  return error instanceof Error && error.message.startsWith(kind)
}

/** @throws {IpGuardError} `IPGUARD_REDIS_NOT_READY` */
export function checkReady(connection: Connection, key: string): void {
  if (connection.ready(key)) return
  const partial = connection.inParts()
  if (partial) {
    throw new IpGuardError(
      'IPGUARD_REDIS_NOT_READY',
      `A node of the ${describe(connection.name)} is not connected or does not answer. Its clients are counted without it until it does.`,
      { partial },
    )
  }
  throw new IpGuardError(
    'IPGUARD_REDIS_NOT_READY',
    `The ${describe(connection.name)} client is not connected. Connect it before the first request (node-redis: await client.connect()); after a lost connection it comes back by itself.`,
  )
}
