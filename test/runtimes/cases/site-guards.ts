import {
  allow,
  type ClientIpOptions,
  createGuard,
  deny,
  type Guard,
  type GuardOptions,
  policy,
  rateLimit,
} from '@ipguard/core'
import { memoryStore } from '@ipguard/store-memory'

const limit = (requests: number): GuardOptions['policies'][number] => rateLimit({ limit: requests, window: '1h' })
const ladder = [{ name: 'graylist', ban: '1h' }] as const
const proxy: ClientIpOptions = { header: 'x-forwarded-for', trust: ['loopback'] }
/** As `cloudflareWorkers()`, but written by hand: with a preset a guard would say that nobody but the platform calls it. */
const platform: ClientIpOptions = { header: 'cf-connecting-ip', originUnreachable: true }

/** Waits for a timer of the runtime, and then for what it was asked. */
const slow = policy({
  name: 'slow',
  async evaluate({ request }) {
    await new Promise((resolve) => setTimeout(resolve, 0))
    return request.headers.get('x-bad') ? { action: 'deny' } : undefined
  },
})
const broken = policy({
  name: 'broken',
  onError: 'deny',
  evaluate: () => {
    throw new Error('broken')
  },
})

/** What stands in front of the site's paths. With `platform` no connection has to be known. */
const GUARDS = {
  socket: { policies: [limit(1_000)] },
  proxy: { policies: [limit(1_000)], clientIp: proxy },
  platform: { policies: [limit(1_000)], clientIp: platform },
  denied: { policies: [deny(['198.51.100.0/24'])], clientIp: platform, createId: () => 'an-id' },
  banned: { policies: [rateLimit({ limit: 2, window: '1h', ladder })], clientIp: platform },
  struck: { policies: [rateLimit({ name: 'logins', ladder: [{ ban: '1h', after: 2 }] })], clientIp: platform },
  slow: { policies: [slow], clientIp: platform },
  broken: { policies: [allow(['203.0.113.0/24']), broken], clientIp: platform },
} satisfies Readonly<Record<string, GuardOptions>>

export type GuardName = keyof typeof GUARDS

export const guardNames = Object.keys(GUARDS) as readonly GuardName[] // its own keys

/** A guard with a store of its own. */
export function siteGuard(name: GuardName): Guard {
  return createGuard({ ...GUARDS[name], store: memoryStore() })
}
