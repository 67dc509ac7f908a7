import type { Client, ResolvedClient } from '../client-ip/client.ts'
import type { Address } from '../ip/address.ts'
import { type PathForms, pathForms } from '../policy/path-forms.ts'
import type { PolicyContext } from '../policy/policy.ts'
import type { GuardRequest } from '../request.ts'
import type { CounterKey } from '../store/hit.ts'

/** All requests without a client count together, when they are let in at all. */
const UNKNOWN: CounterKey = Object.freeze({ kind: 0, length: 0, a: 0, b: 0, c: 0, d: 0, text: 'unknown' })

const OPEN = new AbortController().signal

/**
 * What policies are given. A class, against the house rule, for its getters on the prototype: what few policies ask for is made when first
 * asked for, and a check allocates one object instead of three closures.
 */
export class CheckContext<Facts> implements PolicyContext<Facts> {
  readonly request: GuardRequest
  readonly facts: Facts
  readonly now: number
  readonly shadow: boolean
  readonly resolved: ResolvedClient | undefined
  readonly isInfrastructure: (address: Address) => boolean
  /** Set when a wait begins; before, nothing can be aborted. */
  deadlineSignal: AbortSignal | undefined = undefined
  #paths: PathForms | undefined = undefined
  #key: CounterKey | undefined = undefined

  constructor(
    request: GuardRequest,
    facts: Facts,
    now: number,
    shadow: boolean,
    resolved: ResolvedClient | undefined,
    isInfrastructure: (address: Address) => boolean,
  ) {
    this.request = request
    this.facts = facts
    this.now = now
    this.shadow = shadow
    this.resolved = resolved
    this.isInfrastructure = isInfrastructure
  }

  get client(): Client | undefined {
    return this.resolved?.client
  }

  get address(): Address | undefined {
    return this.resolved?.address
  }

  get allowable(): boolean {
    return this.resolved?.allowable ?? false
  }

  get key(): CounterKey {
    this.#key ??= this.resolved ? counterKey(this.resolved) : UNKNOWN
    return this.#key
  }

  get paths(): PathForms {
    this.#paths ??= pathForms(this.request.url)
    return this.#paths
  }

  get exempt(): boolean {
    return this.resolved !== undefined && this.isInfrastructure(this.resolved.address)
  }

  get signal(): AbortSignal {
    return this.deadlineSignal ?? OPEN
  }
}

/** By what a client is counted: its key's words, length and text. */
export function counterKey({
  client,
  key,
}: Pick<ResolvedClient, 'key'> & { readonly client: Pick<Client, 'key'> }): CounterKey {
  const text = client.key
  const slash = text.lastIndexOf('/')
  const length = key.family === 4 ? 32 : slash < 0 ? 128 : Number(text.slice(slash + 1))
  return { kind: key.family, length, a: key.a, b: key.b, c: key.c, d: key.d, text }
}
