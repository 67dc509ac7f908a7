import type { StoreRequest } from '@ipguard/conformance'
import type { EntryChange, Hit, HitCommit, HitReply, Store } from '@ipguard/core'
import { plainStore } from './store-plain.ts'

/** What a store may get wrong, each as a change to a right one. */
export interface StoreDefect {
  readonly name: string
  /** Starts of the names of the cases that fail, and no others. */
  readonly fails: readonly string[]
  break(store: Store, request: StoreRequest): Store
}

type Answer = readonly HitReply[]

/** The store with its hits changed on the way in, or its replies on the way out. */
function hits(
  store: Store,
  change: (
    hits: readonly Hit[],
    now: number,
    commit: HitCommit,
    ask: (hits: readonly Hit[], commit?: HitCommit, now?: number) => Answer,
  ) => Answer,
): Store {
  return {
    ...store,
    hit: (all, { now, commit }) =>
      // The plain store is synchronous.
      change(all, now, commit, (some, how = commit, at = now) => store.hit(some, { now: at, commit: how }) as Answer),
  }
}

function entries(store: Store, change: Partial<Store['entries']>): Store {
  return { ...store, entries: { ...store.entries, ...change } }
}

export const storeDefects: readonly StoreDefect[] = [
  {
    name: 'asks one counter after the other: no all-or-nothing',
    break: (store) => hits(store, (all, _now, _commit, ask) => all.flatMap((hit) => ask([hit]))),
    fails: [
      'hit: when one of several is refused, none consumes',
      'hit: all-or-nothing holds whatever the order of the hits',
      'hit: a counter that is met twice in one call counts both, and never beyond its limit',
      'shadow: a shadow hit consumes nothing when a live one is refused',
      'shadow: when one shadow hit is refused, no shadow hit consumes',
      'ladder: several counters may ban in one hit; the longer ban stays',
      'ban: one that was put by hand refuses, and nothing is consumed by the other hits',
    ],
  },
  {
    name: 'lets one too many into a fixed window',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all.map((hit) => (hit.counter.algorithm === 'fixed-window' ? { ...hit, limit: hit.limit + 1 } : hit))),
      ),
    fails: [
      'fixed-window: everything is forgotten after resetIn',
      'fixed-window: a refund gives back what its slot consumed',
      'fixed-window: a refund never gives more than the limit',
      'fixed-window: a clock that goes back counts as standing still',
      'fixed-window: reading with another limit changes nothing',
      'fixed-window: windows start at multiples of their length, and twice the limit can pass around an edge',
      'fixed-window: a refund for a window that has passed takes nothing from this one',
      'key: counters of other names, windows and algorithms count apart',
    ],
  },
  {
    name: 'takes a burst for the limit',
    break: (store) => hits(store, (all, _now, _commit, ask) => ask(all.map(({ burst: _burst, ...hit }) => hit))),
    fails: [
      'token-bucket: burst says how much may come at once, limit how fast it refills',
      'token-bucket: with a limit of 0 only the burst passes, and is forgotten a window after the last of it',
      'token-bucket: in any span at most burst + span / window * limit',
    ],
  },
  {
    name: 'counts a read as one',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all.map((hit) => ({ ...hit, cost: hit.cost || (hit.strike ? 0 : 1) }))),
      ),
    fails: [
      'hit: when one of several is refused, none consumes',
      'hit: all-or-nothing holds whatever the order of the hits',
      'hit: a counter that is met twice in one call counts both, and never beyond its limit',
      'hit: cost 0 reads, and is admitted on a full counter',
      "hit: commit 'refusals' consumes nothing, and who is refused strikes",
      'shadow: a shadow hit consumes nothing when a live one is refused',
      'shadow: when one shadow hit is refused, no shadow hit consumes',
      'sliding-window: everything is forgotten after resetIn',
      'sliding-window: reading with another limit changes nothing',
      'fixed-window: everything is forgotten after resetIn',
      'fixed-window: reading with another limit changes nothing',
      'token-bucket: everything is forgotten after resetIn',
      'ban: one that was put by hand refuses, and nothing is consumed by the other hits',
    ],
  },
  {
    name: 'counts refused requests too',
    break: (store) =>
      hits(store, (all, _now, commit, ask) => {
        const replies = ask(all)
        if (commit === 'all' && replies.some(({ admitted, ban }) => !admitted && !ban)) {
          ask(all.map((hit) => ({ ...hit, limit: 1e9, exempt: true, strike: false })))
        }
        return replies
      }),
    fails: [
      'hit: a refused hit consumes nothing',
      'hit: when one of several is refused, none consumes',
      'hit: all-or-nothing holds whatever the order of the hits',
      'hit: a counter that is met twice in one call counts both, and never beyond its limit',
      'shadow: a refused shadow hit holds back no live one',
      'shadow: a shadow hit consumes nothing when a live one is refused',
      'shadow: when one shadow hit is refused, no shadow hit consumes',
      'limit: another one keeps the count',
      'limit: 0 refuses everything',
      'token-bucket: a clock that goes back counts as standing still',
      'sliding-window: a full window refuses until its part has left, 1.1 windows after it began',
      'sliding-window: what was consumed leaves part by part',
      'token-bucket: refills steadily, and the limit may come at once',
      'token-bucket: in any span at most burst + span / window * limit',
      'strike: one a window, however many are refused',
    ],
  },
  {
    name: 'has no shadow namespace',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(
          all.map((hit) => ({
            ...hit,
            counter: { ...hit.counter, shadow: false, id: hit.counter.id.replace('shadow', 'live') },
          })),
        ),
      ),
    fails: [
      'shadow: a refused shadow hit holds back no live one',
      'shadow: counts apart from the live counter of the same policy',
      'scope: a shadow ban is seen by its own shadow counter only',
      'scope: a shadow counter sees no live ban',
      'scope: strikes of a shadow counter are its own',
    ],
  },
  {
    name: 'takes every commit for all',
    break: (store) => hits(store, (all, _now, _commit, ask) => ask(all, 'all')),
    fails: [
      "hit: commit 'none' changes neither counts nor strikes, and tells both",
      "hit: commit 'refusals' consumes nothing, and who is refused strikes",
      'hit: only the hits that were refused themselves strike',
      'fixed-window: a request after retryIn passes',
      'token-bucket: a request after retryIn passes',
      'strike: a forgotten one is not told',
      'ladder: an exempt client is refused, and neither strikes nor is banned',
      'scope: strikes of a shadow counter are its own',
      'ban: after its removal the client passes, and with forgive its strikes are gone',
      'ban: forgive clears the strikes of every client inside the prefix, and of nobody else',
    ],
  },
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
  {
    name: 'names counters by their window only',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all.map((hit) => ({ ...hit, counter: { ...hit.counter, id: String(hit.counter.window) } }))),
      ),
    fails: [
      'hit: several are admitted together and each consumes its cost',
      'hit: all-or-nothing holds whatever the order of the hits',
      "hit: commit 'refusals' consumes nothing, and who is refused strikes",
      'hit: only the hits that were refused themselves strike',
      'shadow: a refused shadow hit holds back no live one',
      'shadow: a shadow hit consumes nothing when a live one is refused',
      'shadow: when one shadow hit is refused, no shadow hit consumes',
      'shadow: counts apart from the live counter of the same policy',
      'key: counters of other names, windows and algorithms count apart',
      'key: strikes of other clients and policies count apart',
      'ladder: several counters may ban in one hit; the longer ban stays',
      'scope: a shadow ban is seen by its own shadow counter only',
      'scope: strikes of a shadow counter are its own',
    ],
  },
  {
    name: 'puts the limit into the name',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(all.map((hit) => ({ ...hit, counter: { ...hit.counter, id: `${hit.counter.id} ${hit.limit}` } }))),
      ),
    fails: [
      'limit: another one keeps the count',
      'ban: forgive clears the strikes of every client inside the prefix, and of nobody else',
    ],
  },
  {
    name: 'forgets a custom key after 32 characters',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        ask(
          all.map((hit) =>
            hit.key.kind === 0 ? { ...hit, key: { ...hit.key, text: hit.key.text.slice(0, 32) } } : hit,
          ),
        ),
      ),
    fails: ['key: IPv4, IPv6 and custom keys count apart, whatever the text'],
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
      'fixed-window: a request after retryIn passes',
      'token-bucket: a request after retryIn passes',
      'sliding-window: a full window refuses until its part has left, 1.1 windows after it began',
      'fixed-window: windows start at multiples of their length, and twice the limit can pass around an edge',
      'token-bucket: with a limit of 0 only the burst passes, and is forgotten a window after the last of it',
    ],
  },
  {
    name: 'strikes exempt clients',
    break: (store) => hits(store, (all, _now, _commit, ask) => ask(all.map((hit) => ({ ...hit, exempt: false })))),
    fails: ['ladder: an exempt client is refused, and neither strikes nor is banned'],
  },
  {
    name: 'draws no jitter',
    break: (store) => hits(store, (all, _now, _commit, ask) => ask(all.map((hit) => ({ ...hit, jitter: 0 })))),
    fails: ['ladder: jitter only lengthens'],
  },
  {
    name: 'ignores bans',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => ask(all.map((hit) => hit)).map(({ ban: _ban, ...reply }) => reply)),
    fails: [
      'ladder: a ban stands from the next hit to its end exactly',
      'ladder: no strikes while banned, from the application neither',
      'ladder: a ban that stands is neither shortened nor replaced',
      'scope: a site-wide ban refuses the hits of every live counter',
      "scope: a policy's ban refuses that policy's hits only",
      'scope: a shadow ban is seen by its own shadow counter only',
      'ban: one that was put by hand refuses, and nothing is consumed by the other hits',
      'bounded: a flood of new clients leaves every ban',
    ],
  },
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
      const all = new Map<string, NonNullable<EntryChange['put']>[number]>()
      store.entries.watch(({ put = [], removed = [] }) => {
        for (const id of removed) all.delete(id)
        for (const entry of put) all.set(entry.id, entry)
      })
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
  {
    name: 'takes the end of a record for its length',
    break: (store, { clock }) => ({
      ...store,
      set: (key, value, expiresAt, options) => store.set(key, value, clock.now() + expiresAt, options),
    }),
    fails: [
      'record: ends at its time exactly, whenever it was set',
      'record: with ifAbsent only the first is set, until it ends',
      'record: delete says whether there was one',
    ],
  },
  {
    name: 'sets a record that is there, with ifAbsent too',
    break: (store) => ({ ...store, set: (key, value, expiresAt) => store.set(key, value, expiresAt) }),
    fails: [
      'record: with ifAbsent only the first is set, until it ends',
      'record: of many with ifAbsent in one turn, one is set',
    ],
  },
  {
    name: 'keeps records in a plain object',
    break(store) {
      const values: Record<string, string> = {}
      return {
        ...store,
        get: (key) => values[key],
        set(key, value) {
          values[key] = value
          return true
        },
        delete: (key) => delete values[key],
      }
    },
    fails: [
      'record: ends at its time exactly, whenever it was set',
      'record: with ifAbsent only the first is set, until it ends',
      'record: of many with ifAbsent in one turn, one is set',
      'record: delete says whether there was one',
      'record: hostile keys are keys like others',
    ],
  },
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
