import type { Entry, EntryChange } from '@ipguard/core'
import { entries, everPut, type StoreDefect } from './store-defect.ts'

export const entryDefects: readonly StoreDefect[] = [
  {
    name: 'shortens bans',
    break: (store) =>
      entries(store, {
        put(all) {
          void store.entries.remove(all.map(({ id }) => id))
          return store.entries.put(all)
        },
      }),
    fails: [
      'ladder: a ban that stands is neither shortened nor replaced',
      'entries: of two bans with one id the later end stays, whichever comes first',
    ],
  },
  {
    name: 'keeps the first of two entries',
    break: (store) =>
      entries(store, {
        async put(all) {
          for await (const page of store.entries.load()) {
            const known = new Set(page.map(({ id }) => id))
            await store.entries.put(all.filter(({ id }) => !known.has(id)))
          }
        },
      }),
    fails: [
      'entries: of two bans with one id the later end stays, whichever comes first',
      'entries: an allow or deny entry is replaced, a shorter one too',
      'entries: the mode is replaced',
      'synchronous: hits, records and entries answer at once',
    ],
  },
  {
    name: 'loads what has ended',
    break(store) {
      const all = everPut(store)
      return entries(store, { load: () => [[...all.values()]] })
    },
    fails: [
      'entries: load answers many, each once, and none of those that have ended',
      'entries: load leaves out what has ended, at its time exactly',
    ],
  },
  {
    name: 'puts the first of several entries',
    break: (store) => entries(store, { put: (all) => store.entries.put(all.slice(0, 1)) }),
    fails: [
      'entries: none at first; load answers all that were put, field by field',
      'entries: load answers many, each once, and none of those that have ended',
      'entries: as many are put in one call, and removed in one',
      'entries: kinds and scopes stand side by side on one prefix',
      'entries: load leaves out what has ended, at its time exactly',
      'watch: hears of each entry that one call puts or removes',
    ],
  },
  {
    name: 'puts a thousand entries at most',
    break: (store) => entries(store, { put: (all) => store.entries.put(all.slice(0, 1_000)) }),
    fails: ['entries: as many are put in one call, and removed in one'],
  },
  {
    name: 'removes the first of several entries',
    break: (store) => entries(store, { remove: (ids, options) => store.entries.remove(ids.slice(0, 1), options) }),
    fails: [
      'entries: as many are put in one call, and removed in one',
      'entries: remove takes those ids and no others; unknown ones do no harm',
      'watch: hears of each entry that one call puts or removes',
    ],
  },
  {
    name: 'removes a thousand entries at most',
    break: (store) => entries(store, { remove: (ids, options) => store.entries.remove(ids.slice(0, 1_000), options) }),
    fails: ['entries: as many are put in one call, and removed in one'],
  },
  {
    name: 'tells of the first of several entries',
    break: (store) =>
      entries(store, {
        watch: (listener) =>
          store.entries.watch(({ put = [], removed = [] }) =>
            listener({ put: put.slice(0, 1), removed: removed.slice(0, 1) }),
          ),
      }),
    fails: [
      'watch: hears of each entry that one call puts or removes',
      'bounded: near the cap, IPv6 siblings merge into one ban of their wider prefix that ends with the last',
    ],
  },
  {
    name: 'keeps the first mode',
    break(store) {
      let set = false
      return entries(store, {
        put(all) {
          const some = all.filter(({ kind }) => kind !== 'mode' || !set)
          set ||= all.some(({ kind }) => kind === 'mode')
          return store.entries.put(some)
        },
      })
    },
    fails: ['entries: the mode is replaced'],
  },
  {
    name: 'leaves out what has ended on the first page only',
    break(store) {
      const all = everPut(store)
      return entries(store, {
        async *load() {
          const live = new Set<string>()
          for await (const page of store.entries.load()) for (const { id } of page) live.add(id)
          const every = [...all.values()]
          yield every.slice(0, 1_000).filter(({ id }) => live.has(id))
          yield every.slice(1_000)
        },
      })
    },
    fails: ['entries: load answers many, each once, and none of those that have ended'],
  },
  {
    name: 'finds what has ended',
    break(store) {
      const all = everPut(store)
      return entries(store, { find: (ids) => [...all.values()].filter(({ id }) => ids.includes(id)) })
    },
    fails: ['entries: find, where there is one, answers those of the ids that are there and have not ended'],
  },
  {
    name: 'finds whatever the ids',
    break(store, { clock }) {
      const all = everPut(store)
      const live = ({ expiresAt = Number.POSITIVE_INFINITY }: Entry): boolean => expiresAt > clock.now()
      return entries(store, { find: () => [...all.values()].filter(live) })
    },
    fails: ['entries: find, where there is one, answers those of the ids that are there and have not ended'],
  },
  {
    name: 'never forgives',
    break: (store) => entries(store, { remove: (ids) => store.entries.remove(ids) }),
    fails: [
      'ban: after its removal the client passes, and with forgive its strikes are gone',
      'ban: forgive clears the strikes of every client inside the prefix, and of nobody else',
    ],
  },
  {
    name: 'forgives everybody',
    break: (store) =>
      entries(store, {
        remove: (ids, options = {}) => {
          if (options.forgive !== undefined)
            for (const forgive of ['0.0.0.0/0', '::/0']) void store.entries.remove([], { forgive })
          return store.entries.remove(ids, options)
        },
      }),
    fails: ['ban: forgive clears the strikes of every client inside the prefix, and of nobody else'],
  },
  {
    name: 'announces out of order',
    break: (store) =>
      entries(store, {
        watch(listener) {
          const waiting: EntryChange[] = []
          return store.entries.watch((change) => {
            waiting.unshift(change)
            setTimeout(() => {
              for (const each of waiting.splice(0)) listener(each)
            })
          })
        },
      }),
    fails: [
      'watch: hears each change in order',
      'watch: hears of each entry that one call puts or removes',
      'bounded: near the cap, IPv6 siblings merge into one ban of their wider prefix that ends with the last',
    ],
  },
  {
    name: 'goes on telling after the watch has ended',
    break: (store) =>
      entries(store, {
        watch(listener) {
          store.entries.watch(listener)
          return () => {}
        },
      }),
    fails: ['watch: every listener hears; one that has ended hears no more'],
  },
]
