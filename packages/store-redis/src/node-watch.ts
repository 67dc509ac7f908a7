/** Knows which nodes of a cluster leave calls unanswered. */
export interface NodeWatch {
  /** A call to the node is under way. */
  sent<T>(node: object | undefined, call: Promise<T>): Promise<T>
  /** It leaves calls unanswered and is not asked, but for one call now and then. */
  silent(node: object): boolean
}

/** How long a node may say nothing while calls wait, and after how long a silent one is tried again, in ms. */
const PATIENCE = 250
const TRIAL = 1000

interface Calls {
  open: number
  /** When it answered last, or when the first call that waits was sent. */
  since: number
  tried: number
}

/**
 * A guard finds out that a whole store is away. Of a cluster one node may be, while the others answer: then only its own clients are to be
 * counted without it.
 */
export function createNodeWatch(now: () => number = () => performance.now()): NodeWatch {
  const nodes = new WeakMap<object, Calls>()

  return {
    sent(node, call) {
      if (!node) return call
      const calls = nodes.get(node) ?? { open: 0, since: 0, tried: 0 }
      nodes.set(node, calls)
      if (calls.open === 0) calls.since = now()
      calls.open++
      const answered = (): void => {
        calls.open--
        calls.since = now()
      }
      call.then(answered, answered)
      return call
    },
    silent(node) {
      const calls = nodes.get(node)
      if (!calls || calls.open === 0 || now() - calls.since <= PATIENCE) return false
      if (now() - Math.max(calls.since, calls.tried) <= TRIAL) return true
      calls.tried = now()
      return false
    },
  }
}
