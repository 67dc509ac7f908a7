import type { Hit, HitCommit } from '@ipguard/core'
import type { HitBatcher } from './hit-batcher.ts'
import type { StoredReply } from './hit-reply.ts'
import type { LeasedHit } from './hit-spec.ts'
import type { Keys } from './keys.ts'
import { slotOf } from './slot-of.ts'

/** The hits of a check that one script can reach, with their places in the check. */
interface Part {
  readonly places: number[]
  readonly hits: LeasedHit[]
}

/** A hit that was counted although the check as a whole was not let in. */
interface Overpaid {
  readonly place: number
  readonly hit: Hit
  readonly reply: StoredReply
}

/**
 * On a cluster a script reaches the keys of one slot, so a check of several clients is one script for each slot, all at once. Each of them is
 * all or nothing; what one has counted when another refuses is given back. Until then, for one round trip, it counts: that may refuse
 * somebody early, and lets nobody in.
 */
export function createSlotSplitter(batcher: HitBatcher, keys: Keys): HitBatcher {
  function partsOf(hits: readonly LeasedHit[]): readonly Part[] {
    const parts = new Map<number, Part>()
    for (const [place, hit] of hits.entries()) {
      const slot = slotOf(keys.counted(hit.key))
      const part = parts.get(slot) ?? { places: [], hits: [] }
      parts.set(slot, part)
      part.places.push(place)
      part.hits.push(hit)
    }
    return [...parts.values()]
  }

  async function inParts(
    hits: readonly LeasedHit[],
    parts: readonly Part[],
    commit: HitCommit,
  ): Promise<readonly StoredReply[]> {
    const replies: StoredReply[] = []
    const answers = await Promise.all(parts.map((part) => batcher.send(part.hits, commit)))
    for (const [i, { places }] of parts.entries())
      for (const [j, reply] of (answers[i] ?? []).entries()) replies[places[j] as number] = reply // one to each hit
    if (commit === 'all') await giveBack(hits, parts, replies)
    return replies
  }

  async function giveBack(hits: readonly LeasedHit[], parts: readonly Part[], replies: StoredReply[]): Promise<void> {
    const every = parts.flatMap(({ places }) => places)
    const whole = verdict(hits, replies, every)
    if (whole.shadow) return
    const overpaid = parts.flatMap(({ places }): Overpaid[] => {
      const part = verdict(hits, replies, places)
      return places.flatMap((place) => {
        const hit = hits[place] as Hit // places are of hits, and each has a reply
        const counted = hit.counter.shadow ? part.shadow && !whole.shadow : part.live && !whole.live
        return counted && hit.cost > 0 ? [{ place, hit, reply: replies[place] as StoredReply }] : []
      })
    })
    await Promise.all(
      overpaid.map(async ({ place, hit, reply }) => {
        const refund: Hit = { ...hit, cost: -hit.cost, slot: reply.slot }
        // What cannot be given back now leaves the count by itself; the answer to the check is known all the same.
        const [after] = await batcher.send([refund], 'all').catch(() => [])
        // What was leased with it is gone from this one's `remaining` already.
        const remaining = (after?.remaining ?? 0) + (reply.leased?.amount ?? 0)
        if (after) replies[place] = { ...reply, remaining, resetIn: after.resetIn }
      }),
    )
  }

  return {
    send(hits, commit) {
      const [first] = hits
      const alone = hits.every(({ key }) => key.text === first?.key.text && key.kind === first.key.kind)
      if (alone) return batcher.send(hits, commit)
      const parts = partsOf(hits)
      return parts.length === 1 ? batcher.send(hits, commit) : inParts(hits, parts, commit)
    },
  }
}

/** Whether the live hits among these were counted, and the shadow ones: what the script itself goes by. */
function verdict(
  hits: readonly Hit[],
  replies: readonly StoredReply[],
  places: readonly number[],
): { readonly live: boolean; readonly shadow: boolean } {
  const refused = places.filter((place) => replies[place]?.admitted !== true)
  return { live: refused.every((place) => hits[place]?.counter.shadow), shadow: refused.length === 0 }
}
