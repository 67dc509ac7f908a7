import { type Clock, IpGuardError, schedule } from '@ipguard/core'
import { readObjects } from './crowdsec-body.ts'
import { readDecision, type TypeScores } from './crowdsec-decision.ts'
import { createDecisionTable, type DecisionTable, type HeldDecision } from './crowdsec-table.ts'

/** How the local copy is. */
export interface CrowdsecStatus {
  /** Whether all decisions have been pulled once. Before, no address can be judged. */
  readonly loaded: boolean
  /** Decisions held; those included that have run out and were not deleted yet. */
  readonly entries: number
  /** Decisions of the latest full pull that are not about an address: another scope, a value that is none, all addresses. */
  readonly ignored: number
  /** Ms since the latest pull that worked. */
  readonly age?: number
  /** Why the latest pull failed; absent when it worked. */
  readonly lastError?: IpGuardError
}

export interface DecisionStream {
  /** The decision to obey. @throws {IpGuardError} when nothing has been loaded yet; the first call starts the loading. */
  match(ip: string): HeldDecision | undefined
  /** Resolves when the first pull has been made, rejects when it failed; it goes on by itself either way. */
  start(): Promise<void>
  status(): CrowdsecStatus
  close(): void
}

interface StreamOptions {
  /** The body of one pull. */
  readonly pull: (startup: boolean, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>
  readonly scoreOf: TypeScores
  readonly clock: Clock
  readonly every: number
  readonly full: number
  readonly onWarning?: ((warning: IpGuardError) => void) | undefined
  /** After each pull that worked, before the next is planned. */
  readonly after: (entries: number, signal: AbortSignal) => Promise<void>
}

/** While it fails, the time between two pulls doubles up to this. */
const SLOWEST = 60_000

/**
 * A copy of all decisions about addresses, kept up to date by pulls of the changes.
 *
 * The position in the changes is the server's and belongs to the key: a pull that broke off, or another process with the same key, loses changes
 * without a sign. So all is pulled anew after any failure and once in a while, into a new table that takes the old one's place when complete.
 */
export function createDecisionStream(options: StreamOptions): DecisionStream {
  const { pull, scoreOf, clock, every, full, onWarning, after } = options
  const closing = new AbortController()
  let table: DecisionTable | undefined
  let ignored = 0
  let pulledAt = 0
  let fullAt = 0
  let failures = 0
  let lastError: IpGuardError | undefined
  let first: Promise<void> | undefined
  let cancel: (() => void) | undefined

  async function loadAll(): Promise<void> {
    const next = createDecisionTable(scoreOf)
    let strange = 0
    await readObjects(await pull(true, closing.signal), (list, value) => {
      // What was deleted is not in the new table.
      if (list !== 'new') return
      const decision = readDecision(value)
      if (decision) next.put(decision, clock.now())
      else strange++
    })
    await next.settle()
    table = next
    ignored = strange
    fullAt = clock.now()
  }

  async function loadChanges(into: DecisionTable): Promise<void> {
    await readObjects(await pull(false, closing.signal), (list, value) => {
      const decision = list === 'new' || list === 'deleted' ? readDecision(value) : undefined
      if (!decision) return
      // What is both deleted and new stays: deleted comes first, whatever the order in the text.
      if (list === 'new') into.put(decision, clock.now())
      else into.drop(decision)
    })
    await into.settle()
  }

  async function pullOnce(): Promise<void> {
    const isFull = !table || failures > 0 || clock.now() - fullAt >= full
    if (isFull || !table) await loadAll()
    else await loadChanges(table)
    pulledAt = clock.now()
    failures = 0
    lastError = undefined
    await after(table?.size ?? 0, closing.signal)
  }

  function failed(cause: unknown): IpGuardError {
    failures++
    const error =
      cause instanceof IpGuardError
        ? cause
        : new IpGuardError('IPGUARD_PROVIDER_ANSWER', 'The decisions of the CrowdSec Local API could not be read.')
    const isNew = error.code !== lastError?.code
    lastError = error
    if (isNew) onWarning?.(error)
    return error
  }

  async function run(): Promise<void> {
    try {
      await pullOnce()
    } catch (cause) {
      if (closing.signal.aborted) return
      throw failed(cause)
    } finally {
      if (!closing.signal.aborted) plan()
    }
  }

  /** Many processes that start together must not ask together for ever. */
  function plan(): void {
    const delay = Math.max(every, Math.min(every * 2 ** Math.max(0, failures - 1), SLOWEST))
    cancel = schedule(clock, Math.round(delay * (0.9 + 0.2 * Math.random())), () => void run().catch(() => {}))
  }

  function start(): Promise<void> {
    if (!first) {
      first = run()
      // Whoever does not wait for it reads of its failure in `status`.
      first.catch(() => {})
    }
    return first
  }

  return {
    start,
    match(ip) {
      if (!first) void start()
      if (table) return table.match(ip, clock.now())
      const why = lastError?.message ?? 'They are on their way.'
      throw new IpGuardError(
        lastError?.code ?? 'IPGUARD_PROVIDER_FAILED',
        `The decisions of the CrowdSec Local API have not been loaded yet. ${why}`,
      )
    },
    status: () => ({
      loaded: table !== undefined,
      entries: table?.size ?? 0,
      ignored,
      ...(table && { age: clock.now() - pulledAt }),
      ...(lastError && { lastError }),
    }),
    close() {
      closing.abort()
      cancel?.()
    },
  }
}
