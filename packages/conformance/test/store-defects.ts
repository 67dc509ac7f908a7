import type { StoreDefect } from './store-defect.ts'
import { entryDefects } from './store-defects-entries.ts'
import { hitDefects } from './store-defects-hits.ts'
import { recordDefects } from './store-defects-records.ts'
import { refundDefects } from './store-defects-refunds.ts'
import { timeDefects } from './store-defects-times.ts'
import { plainStore } from './store-plain.ts'

export const storeDefects: readonly StoreDefect[] = [
  ...hitDefects,
  ...timeDefects,
  ...refundDefects,
  ...entryDefects,
  ...recordDefects,
  {
    name: 'answers with promises',
    break: (store) => ({
      ...store,
      hit: async (all, context) => store.hit(all, context),
      get: async (key) => store.get(key),
    }),
    fails: ['synchronous: hits, records and entries answer at once'],
  },
  {
    name: 'has no bound',
    break: (_store, { clock }) => plainStore({ clock }),
    fails: [
      'bounded: no more counters than maxKeys, and what had to go is told',
      'bounded: counters that have ended make room first',
      'bounded: no more bans than maxBans; the one nearest its end goes',
      'bounded: near the cap, IPv6 siblings merge into one ban of their wider prefix that ends with the last',
    ],
  },
]
