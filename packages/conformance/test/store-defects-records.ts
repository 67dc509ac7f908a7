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
]
