import { hits, type StoreDefect } from './store-defect.ts'

export const timeDefects: readonly StoreDefect[] = [
  {
    name: 'says retryIn half a window from now',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all).map((reply, i) =>
          reply.admitted || reply.ban ? reply : { ...reply, retryIn: (all[i]?.counter.window ?? 0) / 2 },
        ),
      ),
    fails: [
      'fixed-window: a request after retryIn passes',
      'token-bucket: a request after retryIn passes',
      'sliding-window: a full window refuses until its part has left, 1.1 windows after it began',
      'fixed-window: windows start at multiples of their length, and twice the limit can pass around an edge',
      'token-bucket: with a limit of 0 only the burst passes, and is forgotten a window after the last of it',
    ],
  },
]
