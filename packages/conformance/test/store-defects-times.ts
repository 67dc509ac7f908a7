import { hits, type StoreDefect } from './store-defect.ts'

export const timeDefects: readonly StoreDefect[] = [
  {
    name: 'says resetIn some ms late',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all).map((reply) => (reply.resetIn > 0 ? { ...reply, resetIn: reply.resetIn + 2 } : reply)),
      ),
    fails: [
      'token-bucket: with a limit of 0 only the burst passes, and is forgotten a window after the last of it',
      'sliding-window: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'fixed-window: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'token-bucket: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'sliding-window: a refund of the latest hit brings resetIn forward to what is left',
      'fixed-window: a refund of the latest hit brings resetIn forward to what is left',
      'token-bucket: a refund of the latest hit brings resetIn forward to what is left',
      'token-bucket: with a limit of 0 a refund does not put off when the rest is forgotten',
    ],
  },
  {
    name: 'says retryIn some ms late',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all).map((reply) => (reply.retryIn > 0 && !reply.ban ? { ...reply, retryIn: reply.retryIn + 2 } : reply)),
      ),
    fails: [
      'limit: a cost above it consumes nothing, and retryIn says that it never passes',
      'sliding-window: a full window refuses until its part has left, 1.1 windows after it began',
      'fixed-window: windows start at multiples of their length, and twice the limit can pass around an edge',
      'token-bucket: with a limit of 0 only the burst passes, and is forgotten a window after the last of it',
      'sliding-window: retryIn is when a request of that cost passes, and no later',
      'fixed-window: retryIn is when a request of that cost passes, and no later',
      'token-bucket: retryIn is when a request of that cost passes, and no later',
    ],
  },
  {
    name: 'says retryIn when everything is forgotten',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all).map((reply) =>
          reply.admitted || reply.ban ? reply : { ...reply, retryIn: Math.max(1, reply.resetIn) },
        ),
      ),
    fails: [
      'limit: a cost above it consumes nothing, and retryIn says that it never passes',
      'sliding-window: retryIn is when a request of that cost passes, and no later',
      'token-bucket: retryIn is when a request of that cost passes, and no later',
    ],
  },
  {
    name: 'says retryIn half a window from now',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all).map((reply, i) =>
          reply.admitted || reply.ban ? reply : { ...reply, retryIn: (all[i]?.counter.window ?? 0) / 2 },
        ),
      ),
    fails: [
      'limit: a cost above it consumes nothing, and retryIn says that it never passes',
      'fixed-window: a request after retryIn passes',
      'token-bucket: a request after retryIn passes',
      'sliding-window: a full window refuses until its part has left, 1.1 windows after it began',
      'fixed-window: windows start at multiples of their length, and twice the limit can pass around an edge',
      'token-bucket: with a limit of 0 only the burst passes, and is forgotten a window after the last of it',
      'sliding-window: retryIn is when a request of that cost passes, and no later',
      'fixed-window: retryIn is when a request of that cost passes, and no later',
      'token-bucket: retryIn is when a request of that cost passes, and no later',
    ],
  },
  {
    name: 'never brings resetIn forward',
    break(store) {
      const ends = new Map<string, number>()
      return hits(store, (all, now, _commit, ask) =>
        ask(all).map((reply, i) => {
          const id = `${all[i]?.counter.id} ${all[i]?.key.text}`
          const end = Math.max(ends.get(id) ?? 0, now + reply.resetIn)
          ends.set(id, end)
          return { ...reply, resetIn: end - now }
        }),
      )
    },
    fails: [
      'sliding-window: a refund of the latest hit brings resetIn forward to what is left',
      'token-bucket: a refund of the latest hit brings resetIn forward to what is left',
    ],
  },
]
