import { deny, ipguard, nginx, rateLimit } from '@ipguard/next'

/** In the edge runtime this is a world of its own: its counters and bans are not those of pages and routes. */
export const middleware = ipguard({
  clientIp: nginx({ trust: ['127.0.0.5/32'] }),
  policies: [deny(['198.51.100.0/24']), rateLimit({ limit: 60, window: '60s' })],
})
