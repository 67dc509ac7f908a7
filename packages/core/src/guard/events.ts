import type { Client } from '../client-ip/client.ts'
import { describe, IpGuardError, type IpGuardErrorCode } from '../errors.ts'
import type { Decision } from '../policy/decision.ts'
import type { VerdictEvent } from '../policy/policy-host.ts'
import type { ReportEvent } from '../report/report-result.ts'
import { isPromise } from '../store/awaitable.ts'
import type { Entry } from '../store/entry.ts'
import type { Finding } from '../store/store.ts'

/** What a guard tells as it happens. */
export interface GuardEvents {
  readonly decision: Decision
  readonly strike: {
    readonly client: string
    readonly policy: string
    readonly strikes: number
    readonly shadow: boolean
  }
  readonly ban: Entry
  readonly unban: Entry
  /** An entry was added or removed, here or by another instance. */
  readonly entry: { readonly change: 'put' | 'removed'; readonly id: string; readonly entry?: Entry }
  /** The store is not asked any more: decisions are made without it, and say so. `code`: of its last failure. */
  readonly degraded: { readonly part: 'store'; readonly store: string; readonly code: IpGuardErrorCode }
  /** The store is asked again; `after`: how long it was not, in ms. */
  readonly recovered: { readonly part: 'store'; readonly store: string; readonly after: number }
  /** A look-up has ended with an answer: what it came to under one policy. */
  readonly verdict: VerdictEvent
  /** What became of a report at one provider; of one that waits, twice. */
  readonly report: ReportEvent
  readonly warning: Finding
  readonly error: IpGuardError
}

/** Fits pino and console: an object of JSON-safe fields, then one line of text. */
export interface Logger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface EventHub {
  on<Name extends keyof GuardEvents>(name: Name, listener: (event: GuardEvents[Name]) => void): () => void
  emit<Name extends keyof GuardEvents>(name: Name, event: GuardEvents[Name]): void
  /** Spares making an event that nobody waits for. */
  wants(name: keyof GuardEvents): boolean
  /** Once per code, and per whom it is about. */
  warn(warning: Finding, about?: string): void
  fail(code: IpGuardError['code'], message: string, cause: unknown): void
  readonly warnings: ReadonlySet<string>
}

export interface EventHubOptions {
  readonly logger?: Logger
  readonly onWarning?: (warning: Finding) => void
}

/** A listener that throws or rejects becomes an `error` event; a request never fails for it. */
export function createEventHub({ logger, onWarning }: EventHubOptions): EventHub {
  const listeners = new Map<keyof GuardEvents, Set<(event: never) => void>>()
  const warnings = new Set<string>()

  function call<T>(listener: (event: T) => unknown, event: T, name: string): void {
    const failed = (error: unknown): void => {
      if (name !== 'error') hub.fail('IPGUARD_LISTENER_FAILED', `A listener of "${name}" threw.`, error)
    }
    try {
      const answer: unknown = listener(event)
      if (isPromise(answer)) void answer.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }

  const hub: EventHub = {
    warnings,
    on(name, listener) {
      const known = listeners.get(name) ?? new Set()
      listeners.set(name, known.add(listener))
      return () => {
        known.delete(listener)
        if (known.size === 0 && listeners.get(name) === known) listeners.delete(name)
      }
    },
    emit(name, event) {
      // Listeners were added under the same name.
      for (const listener of listeners.get(name) ?? []) call(listener as (event: unknown) => void, event, name)
      if (logger) call((each) => log(logger, name, each), event, name === 'error' ? name : 'logger')
    },
    wants: (name) => logger !== undefined || listeners.has(name),
    warn(warning, about = '') {
      const known = warning.code + about
      if (warnings.has(known)) return
      warnings.add(known)
      hub.emit('warning', warning)
      if (onWarning) call(onWarning, warning, 'warning')
    },
    fail(code, message, cause) {
      // The cause stays reachable for a listener; the message carries none of its text, which may hold a secret.
      hub.emit('error', new IpGuardError(code, message, { cause }))
    },
  }
  return hub
}

function log(logger: Logger, name: keyof GuardEvents, event: unknown): void {
  switch (name) {
    case 'decision': {
      const decision = event as Decision // emitted under this name
      if (decision.action === 'allow') return
      const { action, policy, reason, id, retryAfter, degraded } = decision
      logger.info(
        {
          event: name,
          action,
          policy: line(policy),
          reason,
          id,
          client: (decision.client as Client | undefined)?.ip,
          retryAfter,
          degraded: degraded?.map(line),
        },
        `ipguard: ${action}`,
      )
      return
    }
    case 'verdict': {
      const { ip, provider, policy, action, score } = event as VerdictEvent // emitted under this name
      // What the source wrote about it is not shown: it is the source's text.
      if (action !== 'allow')
        logger.info({ event: name, ip, provider, policy: line(policy), action, score }, `ipguard: ${name}`)
      return
    }
    case 'report': {
      // Its message was redacted, and stands whole: in a dry run this is what would have been sent.
      logger.info({ event: name, ...(event as ReportEvent) }, `ipguard: ${name}`)
      return
    }
    case 'warning': {
      const { code, message } = event as Finding // emitted under this name
      logger.warn({ event: name, code, message: line(message) }, `ipguard: ${code}`)
      return
    }
    case 'error': {
      const { code, message } = event as IpGuardError // emitted under this name
      logger.error({ event: name, code, message: line(message) }, `ipguard: ${code}`)
      return
    }
    default: {
      const fields: Record<string, unknown> = { event: name }
      // Events are objects.
      for (const [key, value] of Object.entries(event as Record<string, unknown>)) {
        fields[key] = typeof value === 'string' ? line(value) : value
      }
      logger.warn(fields, `ipguard: ${name}`)
    }
  }
}

/** Text of others, on one line: control characters escaped, capped. */
function line(text: string | undefined): string | undefined {
  return text === undefined ? undefined : describe(text.slice(0, 200)).slice(1, -1)
}
