import type { ClientIpPreset, TrustEntry } from '../client-ip-options.ts'
import type { PresetTrust } from './cdn-presets.ts'

/** Google's front ends, which are also the health checks' (https://cloud.google.com/load-balancing/docs/firewall-rules). */
export const googleFrontEnds: readonly string[] = [
  '35.191.0.0/16',
  '130.211.0.0/22',
  '2600:2d00:1:1::/64',
  '2600:2d00:1:b029::/64',
]

/**
 * Behind an AWS Application Load Balancer: the last element of `X-Forwarded-For`, from the balancer's subnets only.
 *
 * The balancer must be in its default `append` mode; `preserve` passes on what the client wrote, and `remove` leaves
 * nothing. Its addresses change: trust its subnets. The element is taken by position, so a client inside the trusted
 * subnets is named as well. Raise `hops` by one for each proxy before it that appends (CloudFront: 2).
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
 *
 * @example
 * const clientOf = resolveClientIp(awsAlb({ trust: ['10.0.1.0/24', '10.0.2.0/24'] }))
 */
export function awsAlb(options: PresetTrust & { readonly hops?: number }): ClientIpPreset {
  // last, as `hops: undefined` would make it a walk
  return { header: 'x-forwarded-for', ...options, hops: options?.hops ?? 1 }
}

/**
 * Behind a Google Cloud external Application Load Balancer: the second element of `X-Forwarded-For` from the right.
 *
 * The balancer appends the client and then its own address. The default trust is the ranges of Google's front ends,
 * from which all customers' balancers connect. Regional and internal balancers connect from your proxy-only subnet:
 * give that as `trust`. On Cloud Run the peer is not visible: `gcp({ originUnreachable: true })`, with ingress limited
 * to the balancer; without a balancer there, `{ header: 'x-forwarded-for', hops: 1, originUnreachable: true }`.
 * https://cloud.google.com/load-balancing/docs/https#x-forwarded-for_header
 *
 * @example
 * const clientOf = resolveClientIp(gcp())
 */
export function gcp(options: PresetTrust = { trust: googleFrontEnds }): ClientIpPreset {
  return { header: 'x-forwarded-for', hops: 2, ...options }
}

/** Where your own proxy connects from. */
export interface ProxyPresetOptions {
  /** @default ['loopback', 'unix']: the proxy runs on this machine */
  readonly trust?: readonly TrustEntry[]
}

/**
 * Behind nginx: `X-Forwarded-For`, the first element from the right that is not a trusted proxy.
 *
 * Right both when nginx appends (`$proxy_add_x_forwarded_for`) and when it overwrites (`$remote_addr`). Without a
 * `proxy_set_header X-Forwarded-For` line nginx passes on what the client sent: write one.
 *
 * @example
 * const clientOf = resolveClientIp(nginx({ trust: ['10.0.0.5/32'] }))
 */
export function nginx(options: ProxyPresetOptions = {}): ClientIpPreset {
  return { header: 'x-forwarded-for', ...options, trust: options.trust ?? ['loopback', 'unix'] }
}

/**
 * Behind Caddy: `X-Forwarded-For`, which `reverse_proxy` sets; it drops a client's value, or appends to that of its own
 * `trusted_proxies`.
 *
 * @example
 * const clientOf = resolveClientIp(caddy())
 */
export function caddy(options?: ProxyPresetOptions): ClientIpPreset {
  return nginx(options)
}

/**
 * Behind HAProxy with `option forwardfor`: `X-Forwarded-For`, to which it adds a line of its own after the client's.
 *
 * Not with `if-none`: then a client's value is kept.
 *
 * @example
 * const clientOf = resolveClientIp(haproxy({ trust: ['10.0.0.5/32'] }))
 */
export function haproxy(options?: ProxyPresetOptions): ClientIpPreset {
  return nginx(options)
}
