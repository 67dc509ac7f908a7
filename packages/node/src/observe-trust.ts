import { type Decision, type Finding, normalizeIp } from '@ipguard/core'

/** Requests that are compared: frameworks work their client out anew each time. */
const FIRST = 1_000

/** A framework's own rule for the client's address. */
export interface FrameworkTrust<Native> {
  /** Where warnings go. */
  readonly onWarning: (warning: Finding) => void
  /** What the framework calls it, such as `Express's "trust proxy"`. */
  readonly setting: string
  /** How the same proxies are written there, beside `clientIp: nginx({ trust: ['10.0.0.5/32'] })`. */
  readonly example: string
  /** The client by that rule; undefined where the rule is off. */
  readonly clientOf: (native: Native) => string | undefined
}

/**
 * Sees whether a framework's own setting for proxies and the guard's `clientIp` name different clients for one request; tells it once, as
 * `IPGUARD_TRUST_DISAGREES`. Answers the function to call after each decision.
 *
 * @example
 * const observe = observeTrust<Context>({ onWarning, setting: "Koa's app.proxy", example: 'app.proxy = true', clientOf })
 * observe(ctx, handle.decision)
 */
export function observeTrust<Native>(trust: FrameworkTrust<Native>): (native: Native, decision: Decision) => void {
  const { onWarning, setting, example, clientOf } = trust
  let left = FIRST

  function compare(theirs: string | undefined, ours: string | undefined): void {
    if (theirs === undefined || ours === undefined || theirs === ours) return
    left = 0
    onWarning({
      code: 'IPGUARD_TRUST_DISAGREES',
      message:
        `${setting} and ipguard's clientIp name different clients for one request. ipguard goes by clientIp alone. ` +
        `Write the proxies that stand in front of this server in both: ${example} and clientIp: nginx({ trust: ['10.0.0.5/32'] }).`,
    })
  }

  return (native, { client }) => {
    if (left === 0) return
    left--
    try {
      // Frameworks pass on text that is no address: that is no opinion to disagree with.
      compare(normalizeIp(clientOf(native) ?? ''), client?.ip)
    } catch {
      // A function of the user's, as Express takes for "trust proxy", may throw at such text: no reason to fail a request.
    }
  }
}
