import type { EntryChange } from '@ipguard/core'
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
      'synchronous: hits, records and entries answer at once',
    ],
  },
  {
    name: 'loads what has ended',
    break(store) {
      const all = everPut(store)
      return entries(store, { load: () => [[...all.values()]] })
    },
    fails: ['entries: load leaves out what has ended, at its time exactly'],
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
