import type { ClientIpOptions, ClientIpPreset } from '../client-ip-options.ts'

/** What was made here. The same data written by hand is another thing: then nobody but its writer says that a platform sets the header. */
const platforms = new WeakSet<ClientIpOptions>()

function platform(header: string): ClientIpPreset {
  const preset = { header, originUnreachable: true }
  platforms.add(preset)
  return preset
}

/** Whether the preset is that of a platform, which sets the header itself. */
export function isPlatform(options: ClientIpOptions): boolean {
  return platforms.has(options)
}

/**
 * On Vercel: `X-Real-IP`, which the platform overwrites.
 *
 * Only for code that runs on Vercel: there is no peer to check, so anywhere else the header is the caller's. With
 * another CDN in front of Vercel the value is that CDN's address, and its own header (`CF-Connecting-IP`) can be forged
 * by whoever calls the deployment's `vercel.app` name. https://vercel.com/docs/headers/request-headers
 *
 * @example
 * const clientOf = resolveClientIp(vercel())
 */
export function vercel(): ClientIpPreset {
  return platform('x-real-ip')
}

/**
 * On Fly.io: `Fly-Client-IP`, which Fly's proxy sets.
 *
 * Only for services reached through Fly's proxy: over the private network (6PN) other apps of the organisation connect
 * directly and can write the header. With another CDN in front, the value is that CDN's address.
 * https://fly.io/docs/networking/request-headers/
 *
 * @example
 * const clientOf = resolveClientIp(fly())
 */
export function fly(): ClientIpPreset {
  return platform('fly-client-ip')
}

/**
 * In a Cloudflare Worker: `CF-Connecting-IP`, which Cloudflare sets.
 *
 * Only for Workers that Cloudflare's edge calls; workerd run by yourself passes a caller's value through. A request from
 * another customer's Worker carries an address of Cloudflare's. For an origin server behind Cloudflare use `cloudflare()`.
 *
 * @example
 * const clientOf = resolveClientIp(cloudflareWorkers())
 */
export function cloudflareWorkers(): ClientIpPreset {
  return platform('cf-connecting-ip')
}
