import { type Clock, IpGuardError, type Verdict } from '@ipguard/core'

/** What a list has to know and not to know. */
export interface DnsblProbe {
  /** An address that has to be listed. */
  readonly listed?: string
  /** One that must not be. */
  readonly unlisted?: string
}

/** Every list has these two (RFC 5782 section 5). */
export const RFC_5782: DnsblProbe = { listed: '127.0.0.2', unlisted: '127.0.0.1' }

/** How long a good probe counts, and a bad one. */
const GOOD = 3_600_000
const BAD = 600_000

interface ProbeOptions {
  readonly source: string
  readonly probe: DnsblProbe
  readonly clock: Clock
  readonly ask: (ip: string, signal: AbortSignal) => Promise<Verdict | undefined>
}

/**
 * Whether the list works, asked before its first use and then each hour: one that was closed lists nobody or, worse, everybody. A bad one is not
 * asked for ten minutes; when nothing could be told, the next look-up probes again.
 *
 * @throws {IpGuardError} (as a rejection) `IPGUARD_PROVIDER_REFUSED` with `retryAfter` while it is bad; what `ask` rejects with
 */
export function createProbe({ source, probe, clock, ask }: ProbeOptions): (signal: AbortSignal) => Promise<void> {
  let goodUntil = Number.NEGATIVE_INFINITY
  let bad: { readonly message: string; readonly until: number } | undefined

  async function run(signal: AbortSignal): Promise<void> {
    const [listed, unlisted] = await Promise.all([
      probe.listed === undefined ? true : isListed(probe.listed, signal),
      probe.unlisted === undefined ? false : isListed(probe.unlisted, signal),
    ])
    if (listed && !unlisted) {
      bad = undefined
      goodUntil = clock.now() + GOOD
      return
    }
    const what = listed
      ? `lists ${probe.unlisted}, which no list does`
      : `does not list ${probe.listed}, which every list does`
    bad = {
      message: `${source} ${what}: it is not used. Check the zone, the key, and whether your resolver is served.`,
      until: clock.now() + BAD,
    }
  }

  /** Any listing counts, also with a code that scores nothing here. */
  async function isListed(ip: string, signal: AbortSignal): Promise<boolean> {
    return (await ask(ip, signal)) !== undefined
  }

  return async (signal) => {
    if (bad ? clock.now() >= bad.until : clock.now() >= goodUntil) await run(signal)
    if (bad) throw new IpGuardError('IPGUARD_PROVIDER_REFUSED', bad.message, { retryAfter: bad.until - clock.now() })
  }
}
