import type { Hit, HitReply } from '@ipguard/core'
import { hits, type StoreDefect } from './store-defect.ts'

export const refundDefects: readonly StoreDefect[] = [
  {
    name: 'gives no refunds',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => ask(all.map((hit) => ({ ...hit, cost: Math.max(0, hit.cost) })))),
    fails: [
      'sliding-window: a refund gives back what its slot consumed',
      'sliding-window: a refund never gives more than the limit',
      'sliding-window: a late refund gives back while what it consumed counts, to its last millisecond',
      'sliding-window: a late refund finds its slot, however short or long the window',
      'sliding-window: a refund of the latest hit brings resetIn forward to what is left',
      'sliding-window: several refunds in one call each give back, twice to one counter too',
      'fixed-window: a refund gives back what its slot consumed',
      'fixed-window: a refund never gives more than the limit',
      'fixed-window: a late refund gives back while what it consumed counts, to its last millisecond',
      'fixed-window: a late refund finds its slot, however short or long the window',
      'fixed-window: several refunds in one call each give back, twice to one counter too',
      'token-bucket: a refund gives back what its slot consumed',
      'token-bucket: a refund never gives more than the limit',
      'token-bucket: a late refund gives back while what it consumed counts, to its last millisecond',
      'token-bucket: a late refund finds its slot, however short or long the window',
      'token-bucket: a refund of the latest hit brings resetIn forward to what is left',
      'token-bucket: several refunds in one call each give back, twice to one counter too',
      'sliding-window: a refund that is too large takes nothing from other parts',
      'token-bucket: a late refund is on top of what has leaked, and never beyond the burst',
      'token-bucket: with a limit of 0 a refund does not put off when the rest is forgotten',
      'ban: a refund gives back while one stands',
    ],
  },
  {
    name: 'refunds whatever the slot',
    break: (store) =>
      hits(store, (all, now, _commit, ask) =>
        ask(
          all.map((hit) =>
            hit.cost < 0 ? { ...hit, slot: ask([{ ...hit, cost: 0 }], 'none', now)[0]?.slot ?? 0 } : hit,
          ),
        ),
      ),
    fails: [
      'sliding-window: a late refund gives back while what it consumed counts, to its last millisecond',
      'sliding-window: a late refund finds its slot, however short or long the window',
      'sliding-window: a refund of the latest hit brings resetIn forward to what is left',
      'sliding-window: a refund that comes when its part has left takes nothing from later ones',
      'sliding-window: a refund that is too large takes nothing from other parts',
      'fixed-window: a refund for a window that has passed takes nothing from this one',
    ],
  },
  {
    name: 'gives back at once or not at all',
    break(store) {
      let last = 0
      return hits(store, (all, now, _commit, ask) => {
        if (all.some(({ cost }) => cost > 0)) last = now
        return ask(all.map((hit) => (now === last ? hit : { ...hit, cost: Math.max(0, hit.cost) })))
      })
    },
    fails: [
      'sliding-window: a late refund gives back while what it consumed counts, to its last millisecond',
      'sliding-window: a late refund finds its slot, however short or long the window',
      'sliding-window: a refund of the latest hit brings resetIn forward to what is left',
      'fixed-window: a late refund gives back while what it consumed counts, to its last millisecond',
      'fixed-window: a late refund finds its slot, however short or long the window',
      'token-bucket: a late refund gives back while what it consumed counts, to its last millisecond',
      'token-bucket: a late refund finds its slot, however short or long the window',
      'token-bucket: a refund of the latest hit brings resetIn forward to what is left',
      'token-bucket: with a limit of 0 a refund does not put off when the rest is forgotten',
      'ban: a refund gives back while one stands',
    ],
  },
  {
    name: 'finds the slot of a refund by its place in a ring',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(
          all.map((hit) => {
            if (hit.cost >= 0 || hit.counter.algorithm !== 'sliding-window') return hit
            const running = ask([{ ...hit, cost: 0 }], 'none')[0]?.slot ?? 0
            return { ...hit, slot: running - ((running - (hit.slot ?? 0)) % 11) }
          }),
        ),
      ),
    fails: ['sliding-window: a refund that comes when its part has left takes nothing from later ones'],
  },
  {
    name: 'keeps 31 bits of a slot',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all.map((hit) => (hit.slot === undefined ? hit : { ...hit, slot: hit.slot & 0x7fff_ffff }))),
      ),
    fails: [
      'sliding-window: a late refund finds its slot, however short or long the window',
      'fixed-window: a late refund finds its slot, however short or long the window',
    ],
  },
  {
    name: 'gives back when it is only asked to read',
    break: (store) =>
      hits(store, (all, _now, commit, ask) => ask(all, all.every(({ cost }) => cost < 0) ? 'all' : commit)),
    fails: ["hit: commit 'none' changes neither counts nor strikes, and tells both"],
  },
  {
    name: 'gives back in every later part too',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => {
        const replies = ask(all)
        return all.map((hit, i) => {
          let reply = replies[i] as HitReply // one to each hit
          if (hit.cost >= 0 || hit.counter.algorithm !== 'sliding-window') return reply
          for (let part = 1; part < 11; part++) {
            reply = ask([{ ...hit, slot: (hit.slot ?? 0) + part }])[0] ?? reply
          }
          return reply
        })
      }),
    fails: [
      'sliding-window: a late refund gives back while what it consumed counts, to its last millisecond',
      'sliding-window: several refunds in one call each give back, twice to one counter too',
      'sliding-window: a refund that is too large takes nothing from other parts',
    ],
  },
  {
    name: 'gives back the first of several refunds',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => {
        const first = all.find(({ cost }) => cost < 0)
        return ask(all.map((hit) => (hit === first ? hit : { ...hit, cost: Math.max(0, hit.cost) })))
      }),
    fails: [
      'sliding-window: several refunds in one call each give back, twice to one counter too',
      'fixed-window: several refunds in one call each give back, twice to one counter too',
      'token-bucket: several refunds in one call each give back, twice to one counter too',
    ],
  },
  {
    name: 'gives back once to a counter that is met twice',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => {
        const met = new Set<string>()
        return ask(
          all.map((hit) => {
            const id = `${hit.counter.id} ${hit.key.text}`
            const again = hit.cost < 0 && met.has(id)
            met.add(id)
            return again ? { ...hit, cost: 0 } : hit
          }),
        )
      }),
    fails: [
      'sliding-window: several refunds in one call each give back, twice to one counter too',
      'fixed-window: several refunds in one call each give back, twice to one counter too',
      'token-bucket: several refunds in one call each give back, twice to one counter too',
    ],
  },
  {
    name: 'gives nothing back to who is banned',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => {
        const read = ask(
          all.map((hit) => ({ ...hit, cost: 0 })),
          'none',
        )
        return ask(all.map((hit, i) => (read[i]?.ban ? { ...hit, cost: Math.max(0, hit.cost) } : hit)))
      }),
    fails: ['ban: a refund gives back while one stands'],
  },
  {
    name: 'takes a refund for the latest hit',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => {
        const bucketRefund = ({ cost, counter }: Hit): boolean => cost < 0 && counter.algorithm === 'token-bucket'
        if (!all.every(bucketRefund)) return ask(all)
        return all.flatMap((hit) => {
          ask([{ ...hit, cost: 1, burst: 1e9 }])
          return ask([{ ...hit, cost: hit.cost - 1 }])
        })
      }),
    fails: ['token-bucket: with a limit of 0 a refund does not put off when the rest is forgotten'],
  },
]
