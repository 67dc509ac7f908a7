import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  allow,
  createGuard,
  deny,
  type GuardOptions,
  type GuardRequest,
  ipSet,
  ipSetFromBytes,
  nginx,
  policy,
  rateLimit,
} from '../packages/core/src/index.ts'
import { request, testGuard } from '../packages/core/test/test-guard.ts'
import { memoryStore } from '../packages/store-memory/src/index.ts'

/** The message that a page shows: the first block that is no code. */
function shown(code: string): string {
  const page = readFileSync(new URL(`../docs/errors/${code}.md`, import.meta.url), 'utf8')
  const block = /^```(?:text|txt)?\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''
  return block.trim().replace(/\s*\n\s*/g, ' ')
}

const limit = rateLimit({ limit: 60, window: '60s' })
const mine = policy({ name: 'mine', evaluate: async () => undefined })

/** The warnings that options bring about at creation, or a request at run time. */
function warned(options: Partial<GuardOptions>, ask?: Partial<GuardRequest>, peer = '203.0.113.9', times = 1): string {
  const messages: string[] = []
  const guard = createGuard({
    store: memoryStore(),
    policies: [],
    ...options,
    onWarning: ({ message }) => messages.push(message),
  })
  for (let i = 0; ask && i < times; i++) void guard.check(request(ask), { peer })
  return messages[0] ?? ''
}

const forwarded = { headers: new Headers({ 'x-forwarded-for': '198.51.100.1' }) }

/** What brings each message about. */
const BRINGS: Readonly<Record<string, () => unknown>> = {
  IPGUARD_ADDRESS_INVALID: () => testGuard([]).guard.ban('203.0.113.07', { for: '1h' }),
  IPGUARD_ALLOW_BEHIND_COUNTER: () => warned({ policies: [limit, allow(['192.0.2.7'])] }),
  IPGUARD_ALLOW_OVERLAPS_TRUST: () =>
    warned({ policies: [allow(['10.0.0.0/8'])], clientIp: nginx({ trust: ['10.0.0.5/32'] }) }),
  IPGUARD_ASYNC_BETWEEN_COUNTERS: () => warned({ policies: [limit, mine, rateLimit({ limit: 900, window: '1h' })] }),
  IPGUARD_BAN_ALLOWED: () => testGuard([allow(['192.0.2.7'])]).guard.ban('192.0.2.7', { for: '1h' }),
  IPGUARD_BAN_EXEMPT: () =>
    warned(
      { policies: [rateLimit({ name: '60-in-60s', limit: 0, window: '60s', ladder: [{ ban: '1h' }] })] },
      {},
      '10.0.0.5',
    ),
  IPGUARD_CIDR_INVALID: () => deny(['198.51.100.7', '10.0.0/8']),
  IPGUARD_DURATION_INVALID: () => rateLimit({ limit: 60, window: '1 minute' as never }),
  IPGUARD_FORWARDED_UNTRUSTED: () => warned({}, forwarded),
  IPGUARD_LADDER_INVALID: () => rateLimit({ limit: 60, window: '60s', ladder: [{ name: 'gray list', ban: '1h' }] }),
  IPGUARD_LADDER_MISSING: () => testGuard([]).guard.strike('203.0.113.7'),
  IPGUARD_LADDER_UNREACHABLE: () =>
    rateLimit({
      limit: 60,
      window: '60s',
      ladder: [{ ban: '24h' }, { name: 'blacklist', ban: '30d', after: 3, within: '12h' }],
    }),
  IPGUARD_ONE_CLIENT: () => warned({}, {}, '203.0.113.9', 1_001),
  IPGUARD_OPTION_INVALID: () => rateLimit({ limit: '60' as never, window: '60s' }),
  IPGUARD_OPTION_UNKNOWN: () => rateLimit({ limt: 60, window: '60s' } as never),
  IPGUARD_PEER_PRIVATE_UNTRUSTED: () => warned({}, forwarded, '10.0.0.5'),
  IPGUARD_POLICY_NAME_SHARED: () => warned({ policies: [limit, rateLimit({ limit: 60, window: '60s' })] }),
  IPGUARD_SET_DAMAGED: () => {
    const bytes = new Uint8Array(ipSet(['10.0.0.0/8']).toBytes())
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    return ipSetFromBytes(bytes)
  },
  IPGUARD_STORE_MISSING: () => createGuard({ policies: [limit] }),
  IPGUARD_TRUST_INVALID: () =>
    createGuard({ policies: [], clientIp: { header: 'x-forwarded-for', trust: ['0.0.0.0/0'] } }),
  IPGUARD_TRUST_MISSING: () => createGuard({ policies: [], clientIp: { header: 'x-forwarded-for' } as never }),
}

test.each(Object.entries(BRINGS))('the page of %s shows the message as it is given', async (code, bring) => {
  let given: unknown
  try {
    given = await bring()
  } catch (error) {
    given = (error as Error).message // whatever was thrown has one
  }
  const [start = '', ...rest] = shown(code).split('...')
  expect(start.length).toBeGreaterThan(20)
  expect(String(given).slice(0, start.trimEnd().length)).toBe(start.trimEnd())
  if (rest.length === 0) expect(String(given)).toBe(start)
})
