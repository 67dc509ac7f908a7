import type { Entry, EntryChange } from '../src/store/entry.ts'
import type { Hit, HitCommit, HitReply } from '../src/store/hit.ts'
import type { Finding, Store } from '../src/store/store.ts'

/** One call that the store has not answered. */
export interface Call<Asked, Answer> {
  readonly asked: Asked
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** Calls in the order in which they came; `answer`: what is answered at once. */
export interface Script<Asked, Answer> {
  readonly calls: Call<Asked, Answer>[]
  answer: ((asked: Asked) => Answer) | undefined
}

export interface ScriptedStore extends Store {
  readonly hits: Script<{ readonly hits: readonly Hit[]; readonly commit: HitCommit }, readonly HitReply[]>
  readonly sets: Script<{ readonly key: string; readonly expiresAt: number }, boolean>
  readonly puts: Script<readonly Entry[], void>
  readonly removes: Script<readonly string[], void>
  readonly finds: Script<readonly string[], readonly Entry[]>
  /** One call for each page asked for; `number` counts the loads, from 1. Undefined ends the load. */
  readonly pages: Script<{ readonly number: number }, readonly Entry[] | undefined>
  readonly inspections: Script<undefined, readonly Finding[]>
  /** Announces a change to every guard that watches. */
  tell(change: EntryChange): void
  /** Guards that watch. */
  watching(): number
}

function script<Asked, Answer>(): Script<Asked, Answer> & { ask(asked: Asked): Promise<Answer> } {
  const calls: Call<Asked, Answer>[] = []
  const self = {
    calls,
    answer: undefined as ((asked: Asked) => Answer) | undefined,
    ask: (asked: Asked) =>
      new Promise<Answer>((resolve, reject) => {
        calls.push({ asked, resolve, reject })
        if (self.answer) resolve(self.answer(asked))
      }),
  }
  return self
}

export function admitted(remaining = 1): HitReply {
  return { admitted: true, remaining, resetIn: 1000, retryIn: 0, slot: 0 }
}

/** A store that answers only what the test says, when the test says it; loads are empty until it says otherwise. */
export function scriptedStore(): ScriptedStore {
  const hits = script<{ readonly hits: readonly Hit[]; readonly commit: HitCommit }, readonly HitReply[]>()
  const sets = script<{ readonly key: string; readonly expiresAt: number }, boolean>()
  const puts = script<readonly Entry[], void>()
  const removes = script<readonly string[], void>()
  const finds = script<readonly string[], readonly Entry[]>()
  const pages = script<{ readonly number: number }, readonly Entry[] | undefined>()
  const inspections = script<undefined, readonly Finding[]>()
  pages.answer = () => undefined
  const listeners = new Set<(change: EntryChange) => void>()
  let loads = 0
  return {
    name: 'scripted',
    hits,
    sets,
    puts,
    removes,
    finds,
    pages,
    inspections,
    hit: (asked, { commit }) => hits.ask({ hits: asked, commit }),
    get: () => undefined,
    set: (key, _value, expiresAt) => sets.ask({ key, expiresAt }),
    delete: () => false,
    inspect: () => inspections.ask(undefined),
    entries: {
      async *load() {
        const number = ++loads
        for (;;) {
          const page = await pages.ask({ number })
          if (!page) return
          yield page
        }
      },
      put: (entries) => puts.ask(entries),
      remove: (ids) => removes.ask(ids),
      find: (ids) => finds.ask(ids),
      watch(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    tell(change) {
      for (const listener of listeners) listener(change)
    },
    watching: () => listeners.size,
  }
}
