import { DEFAULT_IPV6_PREFIX } from '../client-ip/client.ts'
import type { ClientIpObserver } from '../client-ip/observe-client-ip.ts'
import { observeClientIp } from '../client-ip/observe-client-ip.ts'
import { type ClientIpResolver, compileClientIp } from '../client-ip/resolve-client-ip.ts'
import { parseDuration } from '../duration.ts'
import type { Address } from '../ip/address.ts'
import type { Hit, HitReply } from '../store/hit.ts'
import type { Store } from '../store/store.ts'
import { type Breaker, createBreaker } from './breaker.ts'
import { type Clock, systemClock } from './clock.ts'
import { createDeadline, type Deadline } from './deadline.ts'
import { createEventHub, type EventHub } from './events.ts'
import type { GuardOptions } from './guard-options.ts'
import { createHitSender, type HitSender } from './hit-sender.ts'
import { isInfrastructure } from './infrastructure.ts'
import { createManager, type Manager } from './manage.ts'
import { createMetrics, type MetricsBook } from './metrics.ts'
import { createPolicyHost, type Hosting } from './policy-host.ts'
import { createReplica, type Replica } from './replica.ts'
import { createReports, type Reports, type Striker } from './reports.ts'
import { createUnwritten } from './unwritten.ts'

/** What a guard and those derived from it by `with` share. */
export interface Root<Facts> {
  readonly options: GuardOptions<Facts>
  readonly store: Store | undefined
  readonly clock: Clock
  readonly hub: EventHub
  readonly metrics: MetricsBook
  readonly breaker: Breaker
  readonly replica: Replica
  readonly sender: HitSender | undefined
  readonly manager: Manager
  readonly resolver: ClientIpResolver
  readonly observer: ClientIpObserver
  readonly ipv6Prefix: number
  readonly deadlines: { readonly store: number; readonly wait: number }
  readonly createId: () => string
  readonly isInfrastructure: (address: Address) => boolean
  readonly startDeadline: (since?: number) => Deadline
  readonly hosting: Hosting<Facts>
  readonly reports: Reports
  /** A hit has struck: tells of it, and of the ban that came of it; reports it where its tier says so, if it is known who struck. */
  onStruck(hit: Hit, reply: HitReply, now: number, striker: Striker | undefined): Promise<void> | undefined
  onExempt(policy: string): void
  /** Ends what the guard itself has started. */
  close(): void
}

export function createRoot<Facts>(options: GuardOptions<Facts>): Root<Facts> {
  const { store, policies } = options
  const clock = options.clock ?? systemClock()
  const hub = createEventHub(options)
  const metrics = createMetrics()
  hub.on('error', () => metrics.add('errors'))
  const ipv6Prefix = options.ipv6Prefix ?? DEFAULT_IPV6_PREFIX
  const requireHeader = policies.some((policy) => policy.kind === 'only-allow')
  const resolver = compileClientIp(options.clientIp ?? {}, { ipv6Prefix, requireHeader })
  const deadline = options.deadline === undefined ? undefined : parseDuration(options.deadline, 'createGuard.deadline')
  const deadlines = { store: deadline ?? 50, wait: deadline ?? 500 }
  const { instances = 1, maxLocalKeys = 100_000, maxEntries = 1_000_000, mode = 'enforce' } = options
  const breaker = createBreaker({
    store,
    clock,
    hub,
    deadline: deadlines.store,
    onRecovered() {
      replica.retry()
      void unwritten?.write()
      inspect()
    },
  })
  const unwritten = store && createUnwritten({ store, clock, away: () => breaker.open })
  const replica = createReplica({ store, mode, hub, clock, unwritten, maxEntries })
  const allowLists = policies.flatMap(({ kind, list }) => (kind === 'allow' && list ? [list] : []))
  const manager = createManager({ store, replica, hub, metrics, clock, ipv6Prefix, allowLists })

  /** In the background: nothing waits for what the store finds out about itself. */
  function inspect(): void {
    Promise.resolve()
      .then(() => store?.inspect?.())
      .then((findings = []) => {
        for (const finding of findings) hub.warn(finding)
      })
      .catch((error: unknown) => hub.fail('IPGUARD_STORE_FAILED', 'The store could not be inspected.', error))
  }

  const sender =
    store &&
    createHitSender({
      store,
      breaker,
      replica,
      instances,
      maxLocalKeys,
      startDeadline: () => createDeadline(deadlines.store, clock),
      onMet: inspect,
      onLate(hit, reply, striker) {
        const now = clock.now()
        if (reply.banned) void root.onStruck(hit, reply, now, striker)
        else if (reply.ban) replica.learn(reply.ban, now)
      },
    })
  const infrastructure = options.banInfrastructure ? () => false : isInfrastructure(resolver.trust)

  const startDeadline = (since?: number): Deadline => {
    const spent = since === undefined ? 0 : clock.now() - since
    return createDeadline(Math.max(0, deadlines.wait - spent), clock)
  }

  const root: Root<Facts> = {
    options,
    store,
    clock,
    hub,
    metrics,
    breaker,
    replica,
    sender,
    manager,
    resolver,
    observer: observeClientIp(resolver),
    ipv6Prefix,
    deadlines,
    createId: options.createId ?? (() => crypto.randomUUID()),
    startDeadline,
    isInfrastructure: infrastructure,
    hosting: createPolicyHost({ store, clock, hub, breaker, sender, options, isInfrastructure: infrastructure }),
    reports: createReports(options, {
      store,
      clock,
      hub,
      breaker,
      replica,
      sender,
      ipv6Prefix,
      resolver,
      startDeadline,
    }),
    onStruck(hit, reply, now, striker) {
      const { banned, strikes = 1 } = reply
      const { counter, key } = hit
      metrics.add('strikes')
      hub.emit('strike', { client: key.text, policy: counter.policy, strikes, shadow: counter.shadow })
      if (!banned) return undefined
      // The store announces it too; here it holds from this request on.
      replica.learn(banned, now)
      metrics.add('bans')
      hub.emit('ban', banned)
      if (striker) root.reports.struck(hit, reply, striker)
      // Not while the store is away: what is put then would wait there, one on the other.
      if (!counter.ladder || breaker.open) return undefined
      return manager.widen(banned, counter.ladder).catch((error: unknown) => {
        hub.fail('IPGUARD_STORE_FAILED', 'A wider ban could not be put.', error)
      })
    },
    onExempt(policy) {
      hub.warn({
        code: 'IPGUARD_BAN_EXEMPT',
        message: `Policy ${JSON.stringify(policy)} would have struck a private address, a trusted proxy or a known CDN, which a ladder never bans. If clients come through it, declare it in clientIp; if it is itself the client, write banInfrastructure: true.`,
      })
    },
    close() {
      breaker.close()
      unwritten?.close()
      replica.close()
    },
  }
  return root
}
