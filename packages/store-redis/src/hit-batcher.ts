import type { Hit, HitCommit } from '@ipguard/core'
import { type Connection, isReply, runScript } from './connection.ts'
import { createReplyReader, type StoredReply } from './hit-reply.ts'
import { HIT_SCRIPT } from './hit-script.ts'
import { hitSpec, type LeasedHit } from './hit-spec.ts'
import type { Keys } from './keys.ts'
import { timeArgument } from './script.ts'
import { slotOf } from './slot-of.ts'

/** One check on its way: hits that are counted together. */
interface Pending {
  readonly hits: readonly Hit[]
  readonly keys: readonly string[]
  readonly spec: string
  readonly resolve: (replies: readonly StoredReply[]) => void
  readonly reject: (error: unknown) => void
}

export interface HitBatcher {
  send(hits: readonly LeasedHit[], commit: HitCommit): Promise<readonly StoredReply[]>
}

export interface HitBatcherOptions {
  readonly connection: Connection
  readonly keys: Keys
  readonly clock: { now(): number } | undefined
  /** Called with the replies to each check before who asked gets them. */
  readonly onReplies: (hits: readonly Hit[], replies: readonly StoredReply[]) => void
}

/** A script stops the server for as long as it runs: some 0.2 ms for so many checks. */
const MOST = 64
/** Enough to be worth a call of their own while the server has nothing to do: it then works as the rest is collected. */
const SOME = 32

/**
 * Checks that arrive in one turn of the event loop travel as one call: a client spends more on a call than the server on a check.
 *
 * A turn ends when what could be read from sockets was read. A check that is alone, as the one before it was, does not wait for that: it
 * goes when what asked is done.
 */
export function createHitBatcher({ connection, keys, clock, onReplies }: HitBatcherOptions): HitBatcher {
  let waiting: Pending[] = []
  let underWay = 0
  /** The latest call had one check: the next one will hardly have another to wait for, not even to the end of the turn. */
  let calm = true

  function flush(): void {
    if (waiting.length === 0) return
    const all = waiting
    waiting = []
    calm = all.length === 1
    if (!connection.cluster) {
      inBatches(all)
      return
    }
    // A script may only ask for keys of one slot.
    const slots = new Map<number, Pending[]>()
    for (const each of all) {
      const slot = slotOf(each.keys[0] ?? '')
      const others = slots.get(slot)
      if (others) others.push(each)
      else slots.set(slot, [each])
    }
    for (const each of slots.values()) inBatches(each)
  }

  function inBatches(all: readonly Pending[]): void {
    if (all.length <= MOST) void run(all)
    else for (let i = 0; i < all.length; i += MOST) void run(all.slice(i, i + MOST))
  }

  async function ask(names: readonly string[], args: readonly string[]): Promise<unknown> {
    underWay++
    try {
      return await runScript(connection, HIT_SCRIPT, names, args)
    } finally {
      underWay--
    }
  }

  async function run(batch: readonly Pending[]): Promise<void> {
    const [first] = batch
    const names: string[] = []
    let alike = true
    for (const { keys: own, spec } of batch) {
      for (const key of own) names.push(key)
      alike &&= spec === first?.spec
    }
    // Nearly always all are of one policy; then nobody has to say which of the specs is whose.
    const specs = new Map<string, number>()
    const args = [timeArgument(clock), '1', first?.spec ?? '']
    if (!alike) {
      for (const { spec } of batch) {
        const index = specs.get(spec) ?? specs.size + 1
        specs.set(spec, index)
        args.push(String(index))
      }
      args.splice(1, 2, String(specs.size), ...specs.keys())
    }
    try {
      const values = await ask(names, args)
      const reader = createReplyReader(values as readonly unknown[], alike ? 1 : specs.size) // the script answers an array
      for (const { hits, spec, resolve } of batch) {
        const replies = reader.next(hits, alike ? 1 : (specs.get(spec) ?? 1))
        onReplies(hits, replies)
        resolve(replies)
      }
    } catch (error) {
      // Keys of a slot that is on its way to another node: nothing was done, and each key alone is on one of the two.
      if (batch.length > 1 && isReply(error, 'TRYAGAIN')) for (const each of batch) void run([each])
      else for (const { reject } of batch) reject(error)
    }
  }

  return {
    send(hits, commit) {
      const { keys: names, spec } = hitSpec(hits, commit, keys)
      return new Promise((resolve, reject) => {
        if (waiting.length === 0 && calm && underWay === 0) queueMicrotask(flush)
        else if (waiting.length === 0) setImmediate(flush)
        waiting.push({ hits, keys: names, spec, resolve, reject })
        if (connection.writesAtOnce && waiting.length === SOME && underWay === 0) flush()
      })
    },
  }
}
