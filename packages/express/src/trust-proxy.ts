import { type Decision, type Finding, normalizeIp } from '@ipguard/core'
import type { Request } from 'express'

/** Requests that are compared: Express works `req.ip` out anew each time. */
const FIRST = 1_000

/** Sees whether Express's `trust proxy` and the guard's `clientIp` name different clients; tells it once. */
export function observeTrustProxy(onWarning: (warning: Finding) => void): (req: Request, decision: Decision) => void {
  let left = FIRST
  return (req, { client }) => {
    if (left === 0) return
    left--
    if (!req.app?.get('trust proxy')) return
    // Express passes on text that is no address: that is no opinion to disagree with.
    const theirs = normalizeIp(req.ip ?? '')
    if (theirs === undefined || client === undefined || theirs === client.ip) return
    left = 0
    onWarning({
      code: 'IPGUARD_TRUST_DISAGREES',
      message:
        'Express\'s "trust proxy" and ipguard\'s clientIp name different clients for one request. ipguard goes by clientIp alone. ' +
        "Write the proxies that stand in front of this server in both: app.set('trust proxy', ['10.0.0.5/32']) and clientIp: nginx({ trust: ['10.0.0.5/32'] }).",
    })
  }
}
