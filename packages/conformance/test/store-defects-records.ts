import type { StoreDefect } from './store-defect.ts'

export const recordDefects: readonly StoreDefect[] = [
  {
    name: 'takes the end of a record for its length',
    break: (store, { clock }) => ({
      ...store,
      set: (key, value, expiresAt, options) => store.set(key, value, clock.now() + expiresAt, options),
    }),
    fails: [
      'record: ends at its time exactly, whenever it was set',
      'record: set again with an end that has passed, it is gone',
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
    name: 'takes a record for ended before its end, with ifAbsent',
    break(store, { clock }) {
      const ends = new Map<string, number>()
      return {
        ...store,
        set(key, value, expiresAt, { ifAbsent = false } = {}) {
          const open = (ends.get(key) ?? 0) - clock.now() < 100
          const set = store.set(key, value, expiresAt, { ifAbsent: ifAbsent && !open })
          if (set === true) ends.set(key, expiresAt)
          return set
        },
      }
    },
    fails: ['record: with ifAbsent only the first is set, until it ends'],
  },
  {
    name: 'keeps a record past the end that it is set again with',
    break: (store, { clock }) => ({
      ...store,
      set: (key, value, expiresAt, options) =>
        expiresAt <= clock.now() ? false : store.set(key, value, expiresAt, options),
    }),
    fails: ['record: set again with an end that has passed, it is gone'],
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
      'record: set again with an end that has passed, it is gone',
      'record: with ifAbsent only the first is set, until it ends',
      'record: of many with ifAbsent in one turn, one is set',
      'record: delete says whether there was one',
      'record: hostile keys are keys like others',
    ],
  },
]
