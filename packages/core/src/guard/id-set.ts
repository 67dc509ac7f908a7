/** A set of ids in many small sets: one of 131,072 texts stands still for 20 ms when it doubles, and the event loop with it. */
export interface IdSet {
  add(id: string): void
  has(id: string): boolean
  clear(): void
}

const SHARDS = 256

export function createIdSet(): IdSet {
  const shards: Set<string>[] = []
  return {
    add(id) {
      const i = shardOf(id)
      const shard = shards[i] ?? new Set()
      shards[i] = shard.add(id)
    },
    has: (id) => shards[shardOf(id)]?.has(id) === true,
    clear() {
      shards.length = 0
    },
  }
}

/** By its last characters: there ids of one kind differ. */
function shardOf(id: string): number {
  let h = 0
  for (let i = Math.max(0, id.length - 24); i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193)
  return (h >>> 16) & (SHARDS - 1)
}
