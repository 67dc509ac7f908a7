import { hits, type StoreDefect } from './store-defect.ts'

export const hitDefects: readonly StoreDefect[] = [
  {
    name: 'asks one counter after the other: no all-or-nothing',
    break: (store) => hits(store, (all, _now, _commit, ask) => all.flatMap((hit) => ask([hit]))),
    fails: [
      'hit: when one of several is refused, none consumes',
      'hit: all-or-nothing holds whatever the order of the hits',
      'hit: a counter that is met twice in one call counts both, and never beyond its limit',
      'hit: twelve counters in one call are all or none, in their order',
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
      'hit: twelve counters in one call are all or none, in their order',
      'fixed-window: everything is forgotten after resetIn',
      'fixed-window: a clock that goes back counts as standing still',
      'fixed-window: reading with another limit changes nothing',
      'fixed-window: windows start at multiples of their length, and twice the limit can pass around an edge',
      'fixed-window: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'fixed-window: a refund gives back what its slot consumed',
      'fixed-window: a refund never gives more than the limit',
      'fixed-window: a late refund gives back while what it consumed counts, to its last millisecond',
      'fixed-window: a late refund finds its slot, however short or long the window',
      'fixed-window: several refunds in one call each give back, twice to one counter too',
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
      'token-bucket: with a limit of 0 a refund does not put off when the rest is forgotten',
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
      'hit: twelve counters in one call are all or none, in their order',
      'hit: cost 0 reads, and is admitted on a full counter',
      "hit: commit 'none' changes neither counts nor strikes, and tells both",
      "hit: commit 'refusals' consumes nothing, and who is refused strikes",
      'shadow: a shadow hit consumes nothing when a live one is refused',
      'shadow: when one shadow hit is refused, no shadow hit consumes',
      'sliding-window: everything is forgotten after resetIn',
      'sliding-window: reading with another limit changes nothing',
      'fixed-window: everything is forgotten after resetIn',
      'fixed-window: reading with another limit changes nothing',
      'token-bucket: everything is forgotten after resetIn',
      'sliding-window: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'fixed-window: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'token-bucket: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'sliding-window: a refund that is too large takes nothing from other parts',
      'token-bucket: with a limit of 0 a refund does not put off when the rest is forgotten',
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
      'hit: twelve counters in one call are all or none, in their order',
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
      'sliding-window: retryIn is when a request of that cost passes, and no later',
      'sliding-window: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'fixed-window: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
      'token-bucket: retryIn is when a request of that cost passes, and no later',
      'token-bucket: resetIn is when nothing counts any more, and no later, of a read and a refusal too',
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
    name: 'sends eight hits at a time',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) =>
        Array.from({ length: Math.ceil(all.length / 8) }, (_, i) => ask(all.slice(8 * i, 8 * i + 8))).flat(),
      ),
    fails: ['hit: twelve counters in one call are all or none, in their order'],
  },
  {
    name: 'answers in the order of numbers as text',
    break: (store) =>
      hits(store, (all, _now, _commit, ask) => {
        const replies = ask(all)
        const order = all.map((_, i) => String(i)).sort((x, y) => (x < y ? -1 : 1))
        return order.map((i) => replies[Number(i)]).filter((reply) => reply !== undefined)
      }),
    fails: [
      'hit: twelve counters in one call are all or none, in their order',
      'hit: replies come in the order of the hits, none for none',
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
      'hit: twelve counters in one call are all or none, in their order',
      "hit: commit 'refusals' consumes nothing, and who is refused strikes",
      'hit: only the hits that were refused themselves strike',
      'shadow: a refused shadow hit holds back no live one',
      'shadow: a shadow hit consumes nothing when a live one is refused',
      'shadow: when one shadow hit is refused, no shadow hit consumes',
      'shadow: counts apart from the live counter of the same policy',
      'sliding-window: several refunds in one call each give back, twice to one counter too',
      'fixed-window: several refunds in one call each give back, twice to one counter too',
      'token-bucket: several refunds in one call each give back, twice to one counter too',
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
]
