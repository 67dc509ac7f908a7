import type { ClientIpPreset, TrustEntry } from '../client-ip-options.ts'
import { cloudflareRanges } from './cloudflare-ranges.gen.ts'
import { fastlyRanges } from './fastly-ranges.gen.ts'

/** Who may name the client: the proxies' addresses, or the statement that nobody else reaches this server. */
export type PresetTrust =
  | { readonly trust: readonly TrustEntry[]; readonly originUnreachable?: never }
  | { readonly originUnreachable: true; readonly trust?: never }

/** A preset whose proxies connect from published ranges, which can be spread into another `trust`. */
export type RangedPreset = ClientIpPreset & { readonly trust: readonly TrustEntry[] }

/**
 * Behind Cloudflare: `CF-Connecting-IP`, from Cloudflare's published ranges only.
 *
 * Other Cloudflare customers send from the same ranges, and one of them can point a zone of theirs at your origin;
 * authenticated origin pulls (or a tunnel) close that. With a proxy of your own between Cloudflare and this server, have that
 * proxy check who connects and name the client (nginx: `set_real_ip_from`, `real_ip_header CF-Connecting-IP`), and use its preset:
 * walking `X-Forwarded-For` past all of Cloudflare's ranges would also walk past its Workers, to whatever their owners wrote.
 * https://developers.cloudflare.com/fundamentals/reference/http-headers/
 *
 * @example
 * const clientOf = resolveClientIp(cloudflare())
 */
export function cloudflare(): RangedPreset {
  return { header: 'cf-connecting-ip', trust: cloudflareRanges }
}

/**
 * Behind Fastly: `Fastly-Client-IP`, from Fastly's published ranges only.
 *
 * **Needs VCL.** Fastly keeps a value that the client sent, so by itself this header can be forged. In `vcl_recv`:
 * `if (fastly.ff.visits_this_service == 0 && req.restarts == 0) { set req.http.Fastly-Client-IP = client.ip; }`.
 * `X-Forwarded-For` is no way round: Fastly appends to it on TLS connections only.
 * https://www.fastly.com/documentation/reference/http/http-headers/Fastly-Client-IP/
 *
 * @example
 * const clientOf = resolveClientIp(fastly())
 */
export function fastly(): RangedPreset {
  return { header: 'fastly-client-ip', trust: fastlyRanges }
}

/**
 * Behind CloudFront: `CloudFront-Viewer-Address`, which an origin request policy must add.
 *
 * State who connects: the ranges of AWS's managed prefix list `com.amazonaws.global.cloudfront.origin-facing`
 * (`CLOUDFRONT_ORIGIN_FACING` in ip-ranges.json; `tools/client-ip-ranges` prints them). They change several times a
 * year and every AWS customer's distributions use them, so they are not shipped here: keep them current, and have
 * CloudFront send a secret header or use a VPC origin. With a load balancer behind CloudFront, trust that instead.
 * The value is `address:port`, IPv6 without brackets; the last colon ends the address.
 *
 * @example
 * const clientOf = resolveClientIp(cloudFront({ trust: ['130.176.0.0/18', '15.158.0.0/16'] }))
 */
export function cloudFront(options: PresetTrust): ClientIpPreset {
  return { header: 'cloudfront-viewer-address', ...options }
}

/**
 * Behind Azure Front Door: `X-Azure-SocketIP`, the address that connected to Front Door.
 *
 * (`X-Azure-ClientIP` can be chosen by the caller.) State who connects: the prefixes of the service tag
 * `AzureFrontDoor.Backend`, which Microsoft publishes weekly, and which all customers share, so check `X-Azure-FDID`
 * too; or `originUnreachable: true` where access restrictions admit only your own Front Door, as App Service can.
 * Without Front Door, Application Gateway and App Service append `address:port` to `X-Forwarded-For`. Behind a gateway
 * write `{ header: 'x-forwarded-for', hops: 1, trust: [...] }` with its subnet; on App Service, to which its own front
 * ends connect, `{ header: 'x-forwarded-for', hops: 1, originUnreachable: true }`.
 * https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol
 *
 * @example
 * const clientOf = resolveClientIp(azure({ trust: ['147.243.0.0/16'] }))
 */
export function azure(options: PresetTrust): ClientIpPreset {
  return { header: 'x-azure-socketip', ...options }
}
