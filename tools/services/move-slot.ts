import { redisCommand } from './redis-command.ts'
import { waitUntil } from './wait-until.ts'

export interface MoveSlotOptions {
  /** How many keys go in one step. @default 10 */
  readonly keys?: number
  /**
   * Called while the slot is open: before the first step, and after each, with the keys moved so far. Between the first
   * and the last call the old node answers ASK for keys that have left. The move goes on when it has resolved.
   */
  readonly during?: (moved: number) => void | Promise<void>
}

/**
 * Moves a slot with its keys to another node while clients go on, and answers when every node knows the new owner.
 *
 * Rejects when a node does, or `during`; the slot is left open then, as after a crash in a move.
 */
export async function moveSlot(
  ports: readonly number[],
  slot: number,
  toPort: number,
  { keys = 10, during }: MoveSlotOptions = {},
): Promise<void> {
  const fromPort = await slotOwner(toPort, slot)
  if (fromPort === toPort) return
  const [from, to] = [await nodeId(fromPort), await nodeId(toPort)]
  // In this order: a node that sends clients away before the other lets them in would have them run in circles.
  await redisCommand(toPort, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from)
  await redisCommand(fromPort, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to)
  let moved = 0
  await during?.(moved)
  for (;;) {
    const step = await keysIn(fromPort, slot, keys)
    if (step.length === 0) break
    await redisCommand(fromPort, 'MIGRATE', '127.0.0.1', toPort, '', 0, 2_000, 'KEYS', ...step)
    moved += step.length
    await during?.(moved)
  }
  // The new owner first: if the old one forgot the slot before, nobody would have it.
  const others = ports.filter((port) => port !== toPort && port !== fromPort)
  for (const port of [toPort, fromPort, ...others]) {
    await redisCommand(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', to)
  }
  for (const port of ports) {
    await waitUntil(`${port} knows the new owner of slot ${slot}`, async () => (await slotOwner(port, slot)) === toPort)
  }
}

/** The port of the node that has a slot, as the node on `port` sees it. */
export async function slotOwner(port: number, slot: number): Promise<number> {
  const ranges: unknown = await redisCommand(port, 'CLUSTER', 'SLOTS')
  for (const range of Array.isArray(ranges) ? ranges : []) {
    // Each is [first, last, [address, port, id, ...] of the master, the same of each replica].
    const [first, last, master] = range as readonly [number, number, readonly [string, number]]
    if (first <= slot && slot <= last) return master[1]
  }
  throw new Error(`The node on ${port} knows no owner of slot ${slot}.`)
}

async function nodeId(port: number): Promise<string> {
  return String(await redisCommand(port, 'CLUSTER', 'MYID'))
}

async function keysIn(port: number, slot: number, count: number): Promise<readonly string[]> {
  const found: unknown = await redisCommand(port, 'CLUSTER', 'GETKEYSINSLOT', slot, count)
  return Array.isArray(found) ? found.map(String) : []
}
