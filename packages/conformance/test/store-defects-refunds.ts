import { hits, type StoreDefect } from './store-defect.ts'

export const refundDefects: readonly StoreDefect[] = [
  {
    name: 'gives no refunds',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => ask(all.map((hit) => ({ ...hit, cost: Math.max(0, hit.cost) })))),
    fails: [
      'sliding-window: a refund gives back what its slot consumed',
      'sliding-window: a refund never gives more than the limit',
      'fixed-window: a refund gives back what its slot consumed',
      'fixed-window: a refund never gives more than the limit',
      'token-bucket: a refund gives back what its slot consumed',
      'token-bucket: a refund never gives more than the limit',
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
      'sliding-window: a refund that comes when its part has left takes nothing from later ones',
      'fixed-window: a refund for a window that has passed takes nothing from this one',
    ],
  },
]
