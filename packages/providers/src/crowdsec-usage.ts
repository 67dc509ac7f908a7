import type { Clock } from '@ipguard/core'
import type { HeldDecision } from './crowdsec-table.ts'
import type { Send } from './http-provider.ts'

/** Counts what is asked, and tells the Local API now and then. */
export interface Usage {
  /** After each answer: the decision that was met, if any. */
  count(met?: Pick<HeldDecision, 'type' | 'origin' | 'scenario'>): void
  /** Sends what was counted when it is time; never rejects. */
  tell(signal: AbortSignal, active?: number): Promise<void>
}

interface UsageOptions {
  readonly send: Send
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly version: string
  readonly clock: Clock
  /** Ms between two messages. */
  readonly every: number
}

/** A server before 1.6.3 has no such route, and gets one with its next update at best. */
const ABSENT = 86_400_000
/** Origins and types are few; a server that makes up more is not counted further. */
const MOST = 200

/**
 * The counters that CrowdSec calls usage metrics. `processed` and `dropped` are look-ups here, and a decision that was met: what the guard then
 * did with the request, this side cannot know.
 */
export function createUsage({ send, url, headers, version, clock, every }: UsageOptions): Usage {
  let processed = 0
  const met = new Map<string, number>()
  let began: number | undefined
  let since = 0
  let next = 0
  let running = false

  /** The window begins with the first look-up. */
  function begin(): void {
    if (began !== undefined) return
    began = since = clock.now()
    next = began + every
  }

  function body(now: number, counts: readonly (readonly [string, number])[], active: number | undefined): string {
    const items = counts.map(([key, value]) => {
      const [origin, remediation] = JSON.parse(key) as [string, string] // `count` wrote it
      return { name: 'dropped', value, unit: 'request', labels: { origin, remediation } }
    })
    const gauge = active === undefined ? [] : [{ name: 'active_decisions', value: active, unit: 'ip' }]
    return JSON.stringify({
      remediation_components: [
        {
          type: 'ipguard',
          version,
          feature_flags: [],
          utc_startup_timestamp: Math.floor((began ?? now) / 1_000),
          metrics: [
            {
              meta: {
                window_size_seconds: Math.max(1, Math.round((now - since) / 1_000)),
                utc_now_timestamp: Math.floor(now / 1_000),
              },
              items: [...items, ...gauge, { name: 'processed', value: processed, unit: 'request' }],
            },
          ],
        },
      ],
    })
  }

  return {
    count(decision) {
      begin()
      processed++
      if (!decision) return
      // The central lists share one origin; CrowdSec wants them apart.
      const origin = decision.origin === 'lists' ? `lists:${decision.scenario}` : decision.origin
      const key = JSON.stringify([origin, decision.type])
      if (met.has(key) || met.size < MOST) met.set(key, (met.get(key) ?? 0) + 1)
    },
    async tell(signal, active) {
      const now = clock.now()
      if (began === undefined || now < next || running) return
      running = true
      next = now + every
      const sent = { processed, met: [...met] }
      try {
        const read = (): true => true
        const statuses = { 201: 'read', 404: 'unlisted' } as const
        const request = { url, method: 'POST', headers, body: body(now, sent.met, active) }
        const taken = await send(request, { signal }, read, statuses)
        if (taken === undefined) next = now + ABSENT
        since = now
        processed -= sent.processed
        for (const [key, value] of sent.met) {
          const left = (met.get(key) ?? 0) - value
          if (left > 0) met.set(key, left)
          else met.delete(key)
        }
      } catch {
        // Counted on, and sent with the next: nobody's request depends on it.
      } finally {
        running = false
      }
    },
  }
}
