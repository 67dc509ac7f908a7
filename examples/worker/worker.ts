import {
  cloudflareWorkers,
  deny,
  type GuardOptions,
  handleOf,
  onMethods,
  onPaths,
  protect,
  rateLimit,
  workers,
} from '@ipguard/fetch'

/** Variables of the Worker, as `wrangler.jsonc` has them. */
interface Env {
  /** Addresses and networks to keep out, with commas between them. */
  readonly DENIED: string
}

/** Who may come in. Made at the first request, when `env` is known; the store is in the memory of this isolate. */
function siteGuard({ DENIED }: Env): GuardOptions {
  return {
    // Cloudflare sets CF-Connecting-IP. A Worker sees no connection, so nothing else could name the client.
    clientIp: cloudflareWorkers(),
    policies: [
      deny(DENIED.split(','), { name: 'denied' }),
      rateLimit({ limit: 20, window: '60s', ladder: [{ name: 'graylist', ban: '1h' }] }),
      rateLimit({ name: 'login', limit: 5, window: '15m', when: [onPaths('/login'), onMethods('POST')] }),
      rateLimit({ name: 'failed-logins', ladder: [{ name: 'login', ban: '15m', after: 3, within: '10m' }] }),
    ],
  }
}

/** An ordinary handler. Who is refused does not get here. */
async function answer(request: Request): Promise<Response> {
  const handle = handleOf(request)
  if (new URL(request.url).pathname !== '/login')
    return new Response(`Welcome, ${handle?.decision.client?.ip ?? 'stranger'}.\n`)
  if (request.headers.get('authorization') === `Basic ${btoa('demo:demo')}`) {
    await handle?.refund() // a login that succeeds does not count
    return new Response('Welcome.\n')
  }
  await handle?.strike()
  return new Response('Wrong name or password.\n', { status: 401 })
}

// biome-ignore lint/style/noDefaultExport: what a Worker exports
export default { fetch: protect(siteGuard, answer, workers) }
