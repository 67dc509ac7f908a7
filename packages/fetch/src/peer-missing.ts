import { IpGuardError } from '@ipguard/core'

/** The error of a request whose connection nobody names; `write` is what to write instead. */
export function peerMissing(problem: string, write: string): IpGuardError {
  return new IpGuardError(
    'IPGUARD_PEER_MISSING',
    `${problem}, and clientIp needs the connection's address: every request would be one without a client. Write ${write}.`,
  )
}
