/** What an adapter with a fault keeps of one request, and takes for that of another. */
export interface Memory {
  /** What was made first for this owner and this subject; `make` is not called again. */
  readonly first: <T>(owner: object, about: object, make: () => T) => T
  /** Keeps a value for the owner until the next; answers a function that reads what is kept then. */
  readonly latest: <T>(owner: object, value: T) => () => T
}

export function createMemory(): Memory {
  const firsts = new WeakMap<object, WeakMap<object, unknown>>()
  const latests = new WeakMap<object, unknown>()
  return {
    first<T>(owner: object, about: object, make: () => T): T {
      const known = firsts.get(owner) ?? new WeakMap<object, unknown>()
      firsts.set(owner, known)
      if (!known.has(about)) known.set(about, make())
      return known.get(about) as T // made for this subject
    },
    latest<T>(owner: object, value: T): () => T {
      latests.set(owner, value)
      return () => latests.get(owner) as T // nothing else is kept for this owner
    },
  }
}
