import { type AdapterOptions, checkAdapterOptions, type Guard, type IpGuardError } from '@ipguard/core'
import type { FetchHost } from './fetch-host.ts'
import { peerMissing } from './peer-missing.ts'

/** `First` and `Second` are what the host passes behind the request. */
export interface FetchAdapterOptions<Facts = unknown, First = unknown, Second = unknown>
  extends Omit<AdapterOptions<Request>, 'facts'>,
    FetchHost<First, Second> {
  /** What the application knows of a request; policies receive it. @default none */
  readonly facts?: (request: Request, first: First, second: Second) => Facts
}

export function checkFetchOptions(options: object, owner: string): void {
  checkAdapterOptions(options, owner, ['peer', 'incoming', 'waitUntil'])
}

/** Whether the options can name the client of a guard at all is known before the first request. */
export function requirePeer<Facts>({ needsPeer }: Guard<Facts>, { peer, incoming }: FetchHost<never, never>): void {
  if (needsPeer && !peer && !incoming) throw noPeerOption()
}

export function noPeerOption(): IpGuardError {
  return peerMissing(
    'No option names the connection',
    'what serves this as options: bunServe, denoServe, nodeServer or srvx; in a Cloudflare Worker clientIp: cloudflareWorkers()',
  )
}
